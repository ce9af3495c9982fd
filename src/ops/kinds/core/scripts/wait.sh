# Waits until the container $n answers well, at most until $last. Then $end is 0 and $new holds the ids of its keys, or
# $end says why not. It answers well when two answers, slower than its rate bucket fills, are good and it shows its keys.
# include base
was=$(docker inspect --type container --format "${o}.RestartCount${c}" "$n")
good=''
bad=''
new=''
end=49
late=$(date +%s)
late=$((late + 300))
[ "$late" -lt "$last" ] || late=$last
while [ "$(date +%s)" -lt "$late" ]; do
  state=$(docker inspect --type container --format "${o}.State.Running${c} ${o}.RestartCount${c}" "$n")
  [ "$state" = "true $was" ] || { end=47; break; }
  code=$(curl -s -o /dev/null -m 8 -w '%{http_code}' "http://127.0.0.1:$p$base/hello")
  case "$code" in
    200) good="${good}x"; bad='' ;;
    5??) bad="${bad}x"; good='' ;;
    *) good='' ;;
  esac
  [ "$bad" != xxxxx ] || { end=48; break; }
  if [ "$good" = xx ]; then
    keys=$(curl -s -m 8 "http://127.0.0.1:$p$base/.well-known/jwks.json")
    new=$(printf '%s\n' "$keys" | grep -oE '"kid" *: *"[a-zA-Z0-9_.:-]+"' | tr -d ' ')
    case "$keys" in *'"keys"'*|*'Not found'*) end=0; break ;; esac
    good='x'
  fi
  sleep 2
done
