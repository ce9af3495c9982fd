# What every script begins with. Two braces in a row would be a parameter of Systems Manager's.
set -u
begun=$(date +%s)
o='{''{'
c='}''}'
n='{{ Container }}'
p='{{ Port }}'
command -v docker >/dev/null || { echo 'no docker'; exit 40; }
docker ps --quiet >/dev/null 2>&1 || { echo 'docker does not answer'; exit 41; }
command -v curl >/dev/null || { echo 'no curl'; exit 42; }
