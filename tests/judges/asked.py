"""boto3 at the end of a pipe: one question a line, `["ecs", "describe_tasks", {"cluster": …}]`, one answer a line,
`{"ok": {…}}` with AWS's own field names or `{"error": code, "message": …}`.  Ends with its standard input.

Usage: asked.py ENDPOINT REGION"""
import json
import sys

from botocore.exceptions import ClientError

from cloud import client
from dump import plain

endpoint, region = sys.argv[1:]
clients = {}
for line in sys.stdin:
    service, call, asked = json.loads(line)
    if service not in clients:
        clients[service] = client(service, endpoint, region)
    try:
        said = getattr(clients[service], call)(**asked)
        said.pop("ResponseMetadata", None)
        answer = {"ok": said}
    except ClientError as error:
        answer = {"error": error.response["Error"]["Code"], "message": error.response["Error"].get("Message")}
    print(json.dumps(answer, default=plain), flush=True)
