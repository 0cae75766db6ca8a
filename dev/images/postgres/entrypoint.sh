#!/usr/bin/env bash
# Serves PostgreSQL from $PGDATA, which it fills when it is empty, by TCP and a socket in $PGHOST: the password of the user postgres
# is $POSTGRES_PASSWORD, and scripts of /docker-entrypoint-initdb.d run once, before clients
# can connect. The official image (docker.io/library/postgres) does the same with these names.
set -euo pipefail

export PGUSER=postgres

initialize() {
    if [[ -z ${POSTGRES_PASSWORD:-} ]]; then
        echo "POSTGRES_PASSWORD: is not set; set it to the password of the user postgres" >&2
        exit 2
    fi
    # Under another name until it is complete: after an interrupted start the next one starts over.
    local draft=$PGDATA.new
    rm -rf "$draft"
    mkdir -p "$(dirname "$PGDATA")"
    initdb --pgdata="$draft" --username=postgres --pwfile=<(echo "$POSTGRES_PASSWORD") \
        --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 \
        --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --no-instructions
    echo "host all all all scram-sha-256" >>"$draft/pg_hba.conf"
    pg_ctl --pgdata="$draft" --wait --silent -o "-c listen_addresses= -k $PGHOST" start
    local script
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
            *.sh) bash "$script" ;;
            *.sql) psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --file="$script" ;;
        esac
    done
    pg_ctl --pgdata="$draft" --wait --silent --mode=fast stop
    mv "$draft" "$PGDATA"
}

[[ -s $PGDATA/PG_VERSION ]] || initialize
exec postgres -D "$PGDATA" -c "listen_addresses=*" -k "$PGHOST" "$@"
