# include begin
m='{{ Image }}'
b="$n-before"
old=''
last=$((begun + 780))
if docker inspect --type container "$b" >/dev/null 2>&1; then
  # This was begun before, and did not end.
  docker rm -f "$n" >/dev/null 2>&1
  docker rename "$b" "$n" >/dev/null 2>&1 || { echo 'docker could not rename it'; exit 86; }
  docker start "$n" >/dev/null 2>&1
  last=$((begun + 120))
  # include wait
  last=$((begun + 780))
fi
docker inspect --type container "$n" >/dev/null 2>&1 || { echo 'no such container'; exit 44; }
core=$(docker inspect --type container --format "${o}index .Config.Labels \"coredeck.core\"${c}" "$n")
case "$core" in ''|'<no value>'|'{{ Core }}') ;; *) echo 'it is another core'; exit 45 ;; esac
is=$(docker inspect --type container --format "${o}.Config.Image${c}" "$n")
if [ "$is" = "$m" ]; then
  docker start "$n" >/dev/null 2>&1 || { echo 'docker could not start it'; exit 46; }
else
  # What the new one would lack is refused before anything stops.
  mounts=$(docker inspect --type container --format "${o}range .Mounts${c}${o}println .Destination${c}${o}end${c}" "$n")
  [ -z "$mounts" ] || { echo "has:" $mounts; exit 60; }
  net=$(docker inspect --type container --format "${o}.HostConfig.NetworkMode${c}" "$n")
  case "$net" in default|bridge) ;; *) echo "has: $net"; exit 61 ;; esac
  ports=$(docker inspect --type container --format "${o}range \$k, \$v := .HostConfig.PortBindings${c}${o}range \$v${c}${o}.HostIp${c}:${o}.HostPort${c}:${o}\$k${c} ${o}end${c}${o}end${c}" "$n")
  case "$ports" in ":$p:3567/tcp "|"0.0.0.0:$p:3567/tcp ") ;; *) echo "has: $ports"; exit 62 ;; esac
  i=$(docker inspect --type container --format "${o}.Image${c}" "$n")
  begins="${o}json .Config.Entrypoint${c} ${o}json .Config.Cmd${c} ${o}json .Config.User${c}"
  of_image=$(docker inspect --type image --format "$begins" "$i") || { echo 'has: no image to compare with'; exit 63; }
  [ "$(docker inspect --type container --format "$begins" "$n")" = "$of_image" ] || exit 63
  each="${o}range .Config.Env${c}${o}println .${c}${o}end${c}"
  [ "$(docker inspect --type container --format "${o}len .Config.Env${c}" "$n")" -eq "$(docker inspect --type container --format "$each" "$n" | grep -vxF -e '' | wc -l)" ] || exit 65
  docker inspect --type container --format "$each" "$n" | grep -E '^(POSTGRESQL|MYSQL|MONGODB)_(CONNECTION_URI|HOST|USER|PASSWORD|DATABASE_NAME)=.' >/dev/null || exit 64
  # include base
  old=$(curl -s -m 8 "http://127.0.0.1:$p$base/.well-known/jwks.json" | grep -oE '"kid" *: *"[a-zA-Z0-9_.:-]+"' | tr -d ' ')
  why=$(timeout 400 docker pull "$m" 2>&1) || { printf '%s\n' "$why" | tail -n 1 | cut -c 1-240 | sed -E 's#^#log: #'; echo 'the image could not be pulled'; exit 51; }
  # With less time than this the old one could not be brought back within that of the command.
  [ "$(date +%s)" -lt "$((begun + 450))" ] || { echo 'the image took too long'; exit 57; }
  docker stop --time 30 "$n" >/dev/null 2>&1 || { echo 'docker could not stop it'; exit 46; }
  docker rename "$n" "$b" >/dev/null 2>&1 || { echo 'docker could not rename it'; docker start "$n" >/dev/null 2>&1 || exit 86; exit 66; }
  memory=$(docker inspect --type container --format "${o}.HostConfig.Memory${c}" "$b")
  nano=$(docker inspect --type container --format "${o}.HostConfig.NanoCpus${c}" "$b")
  quota=$(docker inspect --type container --format "${o}.HostConfig.CpuQuota${c}" "$b")
  period=$(docker inspect --type container --format "${o}.HostConfig.CpuPeriod${c}" "$b")
  restart=$(docker inspect --type container --format "${o}.HostConfig.RestartPolicy.Name${c}" "$b")
  log=$(docker inspect --type container --format "${o}.HostConfig.LogConfig.Type${c}" "$b")
  opts=$(docker inspect --type container --format "${o}range \$k, \$v := .HostConfig.LogConfig.Config${c}--log-opt ${o}\$k${c}=${o}\$v${c} ${o}end${c}" "$b")
  case "$restart" in always|no) ;; *) restart=unless-stopped ;; esac
  limits=''
  [ "$memory" = 0 ] || limits="--memory $memory"
  [ "$nano" = 0 ] || limits="$limits --cpus $(printf '%d.%09d' "$((nano / 1000000000))" "$((nano % 1000000000))")"
  [ "$quota" -le 0 ] || limits="$limits --cpu-quota $quota"
  [ "$period" -le 0 ] || limits="$limits --cpu-period $period"
  # Its labels without those of its image and without ours, and its variables without those of its image.
  all="${o}range \$k, \$v := .Config.Labels${c}${o}\$k${c}=${o}println \$v${c}${o}end${c}"
  labels=$(mktemp)
  docker inspect --type container --format "$all" "$b" | grep -vxF -e "$(docker inspect --type image --format "$all" "$i")" | grep -vE '^(coredeck\.(core|fleet|tier|operation)=.*|)$' > "$labels"
  docker inspect --type container --format "$each" "$b" | grep -vxF -e "$(docker inspect --type image --format "$each" "$i")" -e '' | docker run --detach --name "$n" --restart "$restart" --stop-timeout 30 --publish "$p:3567" $limits --log-driver "$log" $opts --label-file "$labels" --label 'coredeck.core={{ Core }}' --label 'coredeck.fleet={{ Fleet }}' --label 'coredeck.tier={{ Tier }}' --label 'coredeck.operation={{ Operation }}' --label type=session-service --env-file /dev/stdin "$m" >/dev/null 2>&1
  rm -f "$labels"
fi
end=0
docker inspect --type container "$n" >/dev/null 2>&1 || end=53
if [ "$end" = 0 ]; then
  # include wait
  # include same
fi
if [ "$end" = 0 ]; then
  docker rm "$b" >/dev/null 2>&1
  echo 'it answers'
  exit 0
fi
docker inspect --type container "$n" >/dev/null 2>&1 && {
  # include words
}
docker inspect --type container "$b" >/dev/null 2>&1 || { echo 'there is no old one to bring back'; exit "$end"; }
docker stop --time 10 "$n" >/dev/null 2>&1
docker rm -f "$n" >/dev/null 2>&1
docker rename "$b" "$n" >/dev/null 2>&1
docker start "$n" >/dev/null 2>&1
# It is back when it is the old one, runs, and something answers at its port.
late=$(date +%s)
late=$((late + 60))
while [ "$(date +%s)" -lt "$late" ]; do
  state=$(docker inspect --type container --format "${o}.Config.Image${c} ${o}.State.Running${c}" "$n")
  code=$(curl -s -o /dev/null -m 8 -w '%{http_code}' "http://127.0.0.1:$p$base/hello")
  case "$state $code" in "$is true "[2-5]??) echo 'the old one is back'; exit "$((end + 20))" ;; esac
  sleep 2
done
echo 'the old one is not back'
exit "$((end + 40))"
