"""Judges the simulator with the aws command: every operation that only looks.  The first few run as a person runs them,
a process each; the rest inside this process.  The environment points to the simulator."""
import subprocess
from datetime import datetime, timedelta, timezone
from commands import *

AWS = os.path.join(os.path.dirname(sys.executable), "aws")


def process(*args):
    done = subprocess.run([sys.executable, AWS, *args, "--output", "json"], capture_output=True, text=True)
    check(done.returncode == 0, f"aws {' '.join(args)}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout or "{}")


now = datetime.now(timezone.utc)
ago = lambda **span: (now - timedelta(**span)).isoformat()
instances = lambda answer: [i for r in answer["Reservations"] for i in r["Instances"]]
# A program each: a query service, a JSON service, and who is asking.
rows = instances(process("ec2", "describe-instances", "--page-size", "20"))
check(len(rows) > 60, f"{len(rows)} instances")
check(len(process("ssm", "get-parameters-by-path", "--path", "/coredeck/demo/cores")["Parameters"]) > 100, "cores")
check(process("sts", "get-caller-identity")["Arn"].endswith(":user/oncall"), "who am I")

first = aws("ec2 describe-instances --max-items 10")
check(first.get("NextToken"), "--max-items leaves a token")
rest = aws("ec2 describe-instances --starting-token", first.get("NextToken", ""))
check(len(instances(first)) + len(instances(rest)) == len(rows), "--starting-token goes on")
one = next(i for i in rows if i["State"]["Name"] == "running")
check(len(aws("ec2 describe-instance-status --include-all-instances")["InstanceStatuses"]) == len(rows), "a status for each")
check(len(aws("ec2 describe-launch-templates")["LaunchTemplates"]) > 3, "templates")
template = aws("ec2 describe-launch-templates --page-size 1")["LaunchTemplates"][0]["LaunchTemplateId"]
check(aws("ec2 describe-launch-template-versions --launch-template-id", template, "--versions", "$Latest")["LaunchTemplateVersions"], "a version")
check(len(aws("ec2 describe-images --owners self")["Images"]) == 2, "own images")
check(len(aws("ec2 describe-regions")["Regions"]) > 10, "regions")
check(len(aws("ec2 describe-availability-zones")["AvailabilityZones"]) == 6, "zones")
check(aws("ec2 describe-spot-price-history --instance-types m5.large --product-descriptions Linux/UNIX --start-time", ago(days=2))["SpotPriceHistory"], "spot prices")
check(aws("ec2 describe-instance-types --instance-types t3.small")["InstanceTypes"][0]["VCpuInfo"]["DefaultVCpus"] == 2, "a type")
check(aws("ec2 describe-instance-type-offerings --location-type availability-zone")["InstanceTypeOfferings"], "offerings")
check(aws("ec2 describe-instance-attribute --attribute disableApiTermination --instance-id", one["InstanceId"])["DisableApiTermination"] == {"Value": False}, "an attribute")
refused("InvalidInstanceID.NotFound", "ec2 describe-instances --instance-ids i-0123456789abcdef0")
refused("InvalidAction", "ec2 describe-vpn-gateways")

groups = aws("autoscaling describe-auto-scaling-groups --page-size 2")["AutoScalingGroups"]
check(len(groups) >= 6, f"{len(groups)} groups")
members = sum(len(g["Instances"]) for g in groups)
check(len(aws("autoscaling describe-auto-scaling-instances")["AutoScalingInstances"]) == members, "members")
check(aws("autoscaling describe-scaling-activities --auto-scaling-group-name api-mixed")["Activities"], "activities")
check(aws("autoscaling describe-instance-refreshes --auto-scaling-group-name workers-r7g")["InstanceRefreshes"], "a refresh")
check(len(aws("autoscaling describe-lifecycle-hooks --auto-scaling-group-name workers-m7g")["LifecycleHooks"]) == 1, "a hook")
refused("ValidationError", "autoscaling describe-lifecycle-hooks --auto-scaling-group-name nobody")

clusters = aws("ecs list-clusters")["clusterArns"]
described = aws("ecs describe-clusters --include ATTACHMENTS SETTINGS TAGS --clusters", *clusters)["clusters"]
check(len(described) == len(clusters) >= 2, "clusters")
check(aws("ecs describe-capacity-providers")["capacityProviders"], "capacity providers")
home = "--cluster api-prod"
check(len(aws(f"ecs list-services {home} --page-size 1")["serviceArns"]) >= 3, "services")
check(len(aws(f"ecs describe-services {home} --services auth-api")["services"][0]["deployments"]) == 2, "two deployments")
tasks = aws(f"ecs list-tasks {home} --service-name auth-core --page-size 3")["taskArns"]
task = aws(f"ecs describe-tasks {home} --include TAGS --tasks", *tasks)["tasks"][0]
check(aws("ecs describe-task-definition --task-definition", task["taskDefinitionArn"])["taskDefinition"]["containerDefinitions"], "a definition")
hosts = aws(f"ecs list-container-instances {home}")["containerInstanceArns"]
check(len(aws(f"ecs describe-container-instances {home} --container-instances", *hosts)["containerInstances"]) == len(hosts), "hosts")
check(aws(f"ecs get-task-protection {home} --tasks", *tasks)["protectedTasks"], "protection")
aws(f"ecs wait services-stable {home} --services auth-core")
refused("ClusterNotFoundException", "ecs list-tasks --cluster nobody")

balancers = aws("elbv2 describe-load-balancers")["LoadBalancers"]
aws("elbv2 wait load-balancer-available --names", balancers[0]["LoadBalancerName"])
listeners = aws("elbv2 describe-listeners --load-balancer-arn", balancers[0]["LoadBalancerArn"])["Listeners"]
check(all(aws("elbv2 describe-rules --page-size 3 --listener-arn", each["ListenerArn"])["Rules"] for each in listeners), "rules")
targets = aws("elbv2 describe-target-groups")["TargetGroups"]
check(len(targets) > 30, "target groups")
arn = targets[0]["TargetGroupArn"]
check("TargetHealthDescriptions" in aws("elbv2 describe-target-health --target-group-arn", arn), "health")
check(any(a["Value"] == "300" for a in aws("elbv2 describe-target-group-attributes --target-group-arn", arn)["Attributes"]), "the delay")
check(aws("elbv2 describe-tags --resource-arns", arn)["TagDescriptions"], "tags")
refused("TargetGroupNotFound", "elbv2 describe-target-health --target-group-arn", arn[:-1])

check(len(aws("ssm describe-instance-information --page-size 5")["InstanceInformationList"]) > 50, "agents")
name = aws("ssm get-parameters-by-path --path /coredeck/demo/cores --max-items 1")["Parameters"][0]["Name"]
check(aws("ssm get-parameter --name", name)["Parameter"]["Name"] == name, "a parameter")
check(aws("ssm get-parameters --names /no/such", name)["InvalidParameters"] == ["/no/such"], "parameters")
check(len(aws("ssm get-parameter-history --name", name)["Parameters"]) == 1, "a version")
check(aws("ssm describe-document --name AWS-RunShellScript")["Document"]["Owner"] == "Amazon", "a document")
check(json.loads(aws("ssm get-document --name AWS-RunShellScript")["Content"])["schemaVersion"] == "2.2", "its content")
check(aws("ssm list-commands")["Commands"] == aws("ssm list-command-invocations")["CommandInvocations"] == [], "no commands yet")
check(aws("ssm describe-sessions --state Active")["Sessions"] == [], "no sessions yet")
refused("InvocationDoesNotExist", "ssm get-command-invocation --command-id", "0" * 36, "--instance-id", one["InstanceId"])

check(len(aws("cloudwatch describe-alarms --page-size 3")["MetricAlarms"]) > 10, "alarms")
aws("cloudwatch wait alarm-exists --alarm-names auth-api-5xx")
check(aws("cloudwatch list-metrics --namespace AWS/EC2 --metric-name CPUUtilization")["Metrics"], "metrics")
metric = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [{"Name": "InstanceId", "Value": one["InstanceId"]}]}
query = [{"Id": "cpu", "MetricStat": {"Stat": "Average", "Period": 300, "Metric": metric}}]
span = f"--start-time {ago(hours=1)} --end-time {ago()}"
check(len(aws(f"cloudwatch get-metric-data {span} --metric-data-queries", json.dumps(query))["MetricDataResults"][0]["Values"]) >= 10, "data points")
points = aws(f"cloudwatch get-metric-statistics {span} --period 300 --statistics Average --namespace AWS/EC2 --metric-name CPUUtilization --dimensions", f"Name=InstanceId,Value={one['InstanceId']}")
check(len(points["Datapoints"]) >= 10, "statistics")

zones = aws("route53 list-hosted-zones --page-size 1")["HostedZones"]
check(len(zones) == 2, "hosted zones")
records = aws("route53 list-resource-record-sets --page-size 2 --hosted-zone-id", zones[0]["Id"])["ResourceRecordSets"]
check(len(records) == zones[0]["ResourceRecordSetCount"], "records")
refused("NoSuchHostedZone", "route53 list-resource-record-sets --hosted-zone-id Z0")
check(aws("logs describe-log-groups")["logGroups"], "log groups")
check(aws("logs describe-log-streams --log-group-name /coredeck/core-hosts --log-stream-name-prefix shared")["logStreams"], "log streams")
since = int((now - timedelta(minutes=3)).timestamp() * 1000)
found = aws(f"logs filter-log-events --log-group-name /coredeck/core-hosts --log-stream-names shared-prod-1 --start-time {since} --max-items 50")
check(len(found["events"]) == 50 and all("| API " in e["message"] or "\tat " in e["message"] or "Caused" in e["message"] or "..." in e["message"] or "SQL" in e["message"] for e in found["events"]), "log events")
check(aws("logs get-log-events --log-group-name /coredeck/core-hosts --log-stream-name shared-prod-1 --limit 5")["events"], "the last log events")
filters = "Type=TERM_MATCH,Field=instanceType,Value=t2.micro"
check(len(aws("pricing get-products --region us-east-1 --service-code AmazonEC2 --filters", filters)["PriceList"]) == 1, "a price")
check(aws("pricing describe-services --region us-east-1")["Services"], "services with prices")
check(len(aws("pricing get-attribute-values --region us-east-1 --service-code AmazonEC2 --attribute-name instanceType")["AttributeValues"]) > 250, "types with prices")
account = aws("sts get-caller-identity")["Account"]
check(aws("sts assume-role --role-session-name judge --role-arn", f"arn:aws:iam::{account}:role/reader")["Credentials"], "a role")
verdict()
