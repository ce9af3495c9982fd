# include begin
command -v aws >/dev/null || { echo 'no aws command'; exit 43; }
if docker inspect --type container "$n" >/dev/null 2>&1; then
  by=$(docker inspect --type container --format "${o}index .Config.Labels \"coredeck.operation\"${c}" "$n")
  [ "$by" = '{{ Operation }}' ] || { echo 'there is a container of that name already'; exit 55; }
  up=$(docker inspect --type container --format "${o}.State.Running${c}" "$n")
  [ "$up" = true ] || docker rm -f "$n" >/dev/null 2>&1
fi
if ! docker inspect --type container "$n" >/dev/null 2>&1; then
  other=$(docker ps --quiet --filter "publish=$p")
  [ -z "$other" ] || { echo 'the port is taken'; exit 52; }
  cores=$(docker ps --quiet --filter label=type=session-service | wc -l)
  [ "$cores" -lt '{{ Most }}' ] || { echo 'the host is full'; exit 56; }
  why=$(timeout 240 docker pull '{{ Image }}' 2>&1) || { printf '%s\n' "$why" | tail -n 1 | cut -c 1-240 | sed -E 's#^#log: #'; echo 'the image could not be pulled'; exit 51; }
  # Secrets go through the environment alone: never into an argument, an output or a file.
  names=''
  for pair in 'API_KEYS={{ ApiKeys }}' 'POSTGRESQL_CONNECTION_URI={{ Database }}' $(echo '{{ Secrets }}' | tr ',' ' '); do
    [ "$pair" != none ] || continue
    name=${pair%%=*}
    value=$(aws ssm get-parameter --region '{{ Region }}' --with-decryption --name "${pair#*=}" --query Parameter.Value --output text 2>/dev/null) || { echo "has: $name"; echo 'a secret could not be read'; exit 50; }
    export "$name=$value"
    names="$names --env $name"
  done
  for pair in $(echo '{{ Settings }}' | tr ',' ' '); do
    [ "$pair" = none ] || names="$names --env $pair"
  done
  secrets='{{ Secrets }}'
  [ "$secrets" = none ] || names="$names --label coredeck.secrets=$secrets"
  for pair in $(echo '{{ Labels }}' | tr ',' ' '); do
    [ "$pair" = none ] || names="$names --label $pair"
  done
  log=''
  driver='{{ Log }}'
  [ "$driver" = none ] || log="--log-driver $driver"
  for pair in $(echo '{{ LogOptions }}' | tr ',' ' '); do
    [ "$pair" = none ] || log="$log --log-opt $pair"
  done
  memory=''
  [ '{{ Memory }}' = 0 ] || memory='--memory {{ Memory }}m'
  nano='{{ Cpus }}'
  [ "$nano" = none ] || memory="$memory --cpus $(printf '%d.%09d' "$((nano / 1000000000))" "$((nano % 1000000000))")"
  docker run --detach --name "$n" --restart unless-stopped --stop-timeout 30 --publish "$p:3567" $memory $log $names --label 'coredeck.core={{ Core }}' --label 'coredeck.fleet={{ Fleet }}' --label 'coredeck.tier={{ Tier }}' --label 'coredeck.operation={{ Operation }}' --label type=session-service '{{ Image }}' >/dev/null 2>&1 || { docker rm -f "$n" >/dev/null 2>&1; echo 'docker refused to make it'; exit 53; }
fi
old=$(echo '{{ Keys }}' | tr ',' ' ')
[ "$old" != none ] || old=''
last=$((begun + 540))
# include wait
# include same
if [ "$end" != 0 ]; then
  # include words
  echo 'it does not answer well'
  exit "$end"
fi
echo 'it answers'
