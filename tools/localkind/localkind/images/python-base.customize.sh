#!/bin/sh
# Run by mmdebstrap with the new root as $1: users, and what a finished image has no use for.
set -eu
root=$1
printf 'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532::/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
chmod 1777 "$root/tmp"
rm -rf "$root"/var/lib/dpkg "$root"/var/lib/apt "$root"/var/cache "$root"/usr/share/perl5 \
	"$root"/usr/lib/*-linux-gnu/perl-base "$root"/usr/bin/perl*
