# The root file system that base.py has mmdebstrap make.
FROM scratch
ADD root.tar /
ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8
