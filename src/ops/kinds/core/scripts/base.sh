# Where the core answers: below a path of its own, if it was given one.
base=$(docker inspect --type container --format "${o}range .Config.Env${c}${o}println .${c}${o}end${c}" "$n" | grep '^BASE_PATH=')
base=${base#BASE_PATH=}
base=${base#/}
base=${base%/}
[ -z "$base" ] || base="/$base"
