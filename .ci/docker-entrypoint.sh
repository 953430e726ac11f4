#!/bin/bash
# The entry point of the images that .ci/engines builds: it takes the environment and the arguments that the official
# images of these servers take. FIREDRILL_ENGINE, set in each image, says which server it is.
set -euo pipefail

complain() { echo "entry point: $*" >&2; exit 1; }

# VAR from the environment, or from the file that VAR_FILE names.
value() {
  local name=$1 file="${1}_FILE"
  if [ -n "${!file:-}" ]; then cat "${!file}"; else printf '%s' "${!name:-${2:-}}"; fi
}

# Runs the rest as an account of this machine.
as() {
  local account=$1
  shift
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid="$account" --regid="$account" --init-groups -- "$@"
  fi
  exec "$@"
}

own() {
  mkdir -p "$2"
  if [ "$(id -u)" = 0 ]; then find "$2" \! -user "$1" -exec chown "$1:$1" '{}' +; fi
}

quoted() { printf "'%s'" "$(printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")"; }

start_postgres() {
  local user password database method
  own postgres "$PGDATA"
  own postgres /var/run/postgresql
  chmod 700 "$PGDATA"
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=$(value POSTGRES_USER postgres)
    password=$(value POSTGRES_PASSWORD)
    database=$(value POSTGRES_DB "$user")
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    [ -n "$password" ] || [ "$method" = trust ] || complain "POSTGRES_PASSWORD is not set"
    (umask 077 && printf '%s\n' "$password" >/var/run/postgresql/first)
    own postgres /var/run/postgresql
    # shellcheck disable=SC2086
    (as postgres initdb --username="$user" --pwfile=/var/run/postgresql/first --auth-host=scram-sha-256 \
      -D "$PGDATA" ${POSTGRES_INITDB_ARGS:-})
    rm /var/run/postgresql/first
    if [ "$database" != postgres ]; then
      (as postgres postgres --single -D "$PGDATA" template1 >/dev/null) <<SQL
create database "${database//\"/\"\"}"
SQL
    fi
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
    sed -i "s/^#\?listen_addresses *=.*/listen_addresses = '*'/" "$PGDATA/postgresql.conf"
  fi
  as postgres "$@"
}

start_mysql() {
  local password database user data=/var/lib/mysql program=$1
  shift
  own mysql "$data"
  own mysql /run/mysqld
  own mysql /var/lib/mysql-files
  if [ ! -d "$data/mysql" ]; then
    password=$(value MARIADB_ROOT_PASSWORD "$(value MYSQL_ROOT_PASSWORD)")
    database=$(value MARIADB_DATABASE "$(value MYSQL_DATABASE)")
    user=$(value MARIADB_USER "$(value MYSQL_USER)")
    [ -n "$password" ] || complain "MYSQL_ROOT_PASSWORD or MARIADB_ROOT_PASSWORD is not set"
    if [ "$FIREDRILL_ENGINE" = mysql ]; then
      (as mysql "$program" --initialize-insecure --datadir="$data")
    else
      (as mysql mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null)
    fi
    {
      echo "set sql_log_bin = 0;"
      if [ "$FIREDRILL_ENGINE" = mariadb ]; then
        echo "delete from mysql.global_priv where user = 'root' and host <> 'localhost';"
        echo "flush privileges;"
      fi
      echo "alter user root@localhost identified by $(quoted "$password");"
      echo "create user root@'%' identified by $(quoted "$password");"
      echo "grant all on *.* to root@'%' with grant option;"
      [ -z "$database" ] || echo "create database if not exists \`${database//\`/\`\`}\`;"
      if [ -n "$user" ]; then
        echo "create user $(quoted "$user")@'%' identified by $(quoted "$(value MARIADB_PASSWORD "$(value MYSQL_PASSWORD)")");"
        [ -z "$database" ] || echo "grant all on \`${database//\`/\`\`}\`.* to $(quoted "$user")@'%';"
      fi
    } >/run/mysqld/first.sql
    chown mysql:mysql /run/mysqld/first.sql
    chmod 600 /run/mysqld/first.sql
    set -- "$@" --init-file=/run/mysqld/first.sql
  else
    rm -f /run/mysqld/first.sql
  fi
  as mysql "$program" "$@"
}

start_keys() {
  own redis /data
  cd /data
  local program=$1
  shift
  as redis "$program" "${files[@]}" --protected-mode no "$@"
}

case ${1:-} in -* | '' | *.conf) set -- "$FIREDRILL_SERVER" "$@" ;; esac
case $1 in
postgres) start_postgres "$@" ;;
mysqld | mariadbd) start_mysql "$@" ;;
redis-server | valkey-server)
  files=()
  case ${2:-} in
  *.conf)
    files=("$2")
    set -- "$1" "${@:3}"
    ;;
  esac
  start_keys "$@"
  ;;
*) exec "$@" ;;
esac
