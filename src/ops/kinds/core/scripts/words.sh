# The last words of the container $n, without what looks like a secret: they stay in Systems Manager's history.
docker logs --tail 60 "$n" 2>&1 | grep -vE '^ *(at .*)?$' | tail -n 3 | sed -E -e 's#://[^ ]*@#://***@#g' -e 's#([Pp][Aa][Ss][Ss][A-Za-z]*|[Ss][Ee][Cc][Rr][Ee][Tt]|[Kk][Ee][Yy][Ss]?|[Tt][Oo][Kk][Ee][Nn])( ?[=:] ?)[^ ,;&]+#\1\2***#g' -e 's#^#log: #' | cut -c 1-240
