# include begin
docker inspect --type container "$n" >/dev/null 2>&1 || { echo 'no such container'; exit 44; }
core=$(docker inspect --type container --format "${o}index .Config.Labels \"coredeck.core\"${c}" "$n")
case "$core" in ''|'<no value>'|'{{ Core }}') ;; *) echo 'it is another core'; exit 45 ;; esac
echo 'coredeck-core 1'
docker inspect --type container --format "image ${o}.Config.Image${c}" "$n"
docker inspect --type container --format "network ${o}.HostConfig.NetworkMode${c}" "$n"
docker inspect --type container --format "cpus ${o}.HostConfig.NanoCpus${c} ${o}.HostConfig.CpuQuota${c} ${o}.HostConfig.CpuPeriod${c}" "$n"
docker inspect --type container --format "log ${o}.HostConfig.LogConfig.Type${c}" "$n"
docker inspect --type container --format "${o}range .Mounts${c}mount ${o}println .Destination${c}${o}end${c}" "$n"
docker inspect --type container --format "${o}range \$k, \$v := .HostConfig.PortBindings${c}${o}range \$v${c}port ${o}.HostIp${c}:${o}.HostPort${c}:${o}println \$k${c}${o}end${c}${o}end${c}" "$n"
i=$(docker inspect --type container --format "${o}.Image${c}" "$n")
begins="${o}json .Config.Entrypoint${c} ${o}json .Config.Cmd${c} ${o}json .Config.User${c}"
[ "$(docker inspect --type container --format "$begins" "$n")" = "$(docker inspect --type image --format "$begins" "$i")" ] || echo 'own begin'
each="${o}range .Config.Env${c}${o}println .${c}${o}end${c}"
[ "$(docker inspect --type container --format "${o}len .Config.Env${c}" "$n")" -eq "$(docker inspect --type container --format "$each" "$n" | grep -vxF -e '' | wc -l)" ] || echo 'own lines'
# Names of its variables; values only of those that are known to be plain settings, and look like it.
plain='^(ACCESS_TOKEN_[A-Z_]+|REFRESH_TOKEN_[A-Z_]+|[A-Z_]+_TOKEN_LIFETIME|PASSWORDLESS_[A-Z_]+|TOTP_[A-Z_]+|ARGON2_[A-Z_]+|BCRYPT_LOG_ROUNDS|PASSWORD_HASHING_ALG|FIREBASE_PASSWORD_HASHING_POOL_SIZE|BASE_PATH|MAX_SERVER_POOL_SIZE|LOG_LEVEL|INFO_LOG_PATH|ERROR_LOG_PATH|DISABLE_TELEMETRY|BULK_MIGRATION_[A-Z_]+|MIGRATION_MODE|SUPERTOKENS_(HOST|PORT|MIGRATION_MODE|SAAS_LOAD_ONLY_CUD|M(AX|IN)_CDI_VERSION)|POSTGRESQL_([A-Z_]+_TABLE_NAME|TABLE_SCHEMA|TABLE_NAMES_PREFIX|CONNECTION_POOL_SIZE|MINIMUM_IDLE_CONNECTIONS|IDLE_CONNECTION_TIMEOUT)|TZ)=[a-zA-Z0-9_./:-]{0,128}$'
of_image=$(docker inspect --type image --format "$each" "$i")
docker inspect --type container --format "$each" "$n" | grep -vxF -e "$of_image" | grep -E "$plain" | sed -E 's#^#set #'
docker inspect --type container --format "$each" "$n" | grep -vxF -e "$of_image" | grep -vE "$plain" | grep -oE '^[a-zA-Z_][a-zA-Z0-9_]*=' | tr -d '=' | sed -E 's#^#env #'
usual='^(awslogs-[a-z-]+|max-size|max-file|max-buffer-size|mode|compress)=[a-zA-Z0-9_./:-]{1,255}$'
options="${o}range \$k, \$v := .HostConfig.LogConfig.Config${c}${o}\$k${c}=${o}println \$v${c}${o}end${c}"
docker inspect --type container --format "$options" "$n" | grep -E "$usual" | sed -E 's#^#option #'
docker inspect --type container --format "$options" "$n" | grep -vE "$usual" | grep -oE '^[a-z-]+=' | tr -d '=' | sed -E 's#^#own option #'
all="${o}range \$k, \$v := .Config.Labels${c}${o}\$k${c}=${o}println \$v${c}${o}end${c}"
docker inspect --type container --format "$all" "$n" | grep -vxF -e "$(docker inspect --type image --format "$all" "$i")" | grep -vE '^(coredeck\.(core|fleet|tier|operation)=.*|type=session-service|)$' | cut -c 1-2000 | sed -E 's#^#label #'
# include base
curl -s -m 8 "http://127.0.0.1:$p$base/.well-known/jwks.json" | grep -oE '"kid" *: *"[a-zA-Z0-9_.:-]+"' | sed -E 's#.*"([^"]*)"$#key \1#'
echo 'end'
