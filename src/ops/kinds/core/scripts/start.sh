# include begin
docker inspect --type container "$n" >/dev/null 2>&1 || { echo 'no such container'; exit 44; }
core=$(docker inspect --type container --format "${o}index .Config.Labels \"coredeck.core\"${c}" "$n")
case "$core" in ''|'<no value>'|'{{ Core }}') ;; *) echo 'it is another core'; exit 45 ;; esac
docker start "$n" >/dev/null 2>&1 || { echo 'docker could not start it'; exit 46; }
last=$((begun + 330))
# include wait
if [ "$end" != 0 ]; then
  # include words
  echo 'it does not answer well'
  exit "$end"
fi
echo 'it answers'
