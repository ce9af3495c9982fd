"""Judges the simulator with the aws command: one command a service and protocol, run as a person runs it.
The environment points to the simulator.  Prints one line a fault; exits 1 if any."""
import json, os, subprocess, sys
from datetime import datetime, timedelta, timezone

AWS = os.path.join(os.path.dirname(sys.executable), "aws")
FAULTS = []


def aws(*args, code=0):
    done = subprocess.run([sys.executable, AWS, *args, "--output", "json"], capture_output=True, text=True)
    if done.returncode != code:
        FAULTS.append(f"aws {' '.join(args)}: exit {done.returncode}: {done.stderr.strip()}")
        return {}
    return json.loads(done.stdout or "{}") if code == 0 else done.stderr


def check(condition, text):
    if not condition:
        FAULTS.append(text)


now = datetime.now(timezone.utc)
rows = [i for r in aws("ec2", "describe-instances", "--page-size", "20")["Reservations"] for i in r["Instances"]]
check(len(rows) > 60, f"{len(rows)} instances")
first = aws("ec2", "describe-instances", "--max-items", "10")
check(first.get("NextToken"), "--max-items leaves a token")
rest = aws("ec2", "describe-instances", "--starting-token", first.get("NextToken", ""))
both = [i for r in first["Reservations"] + rest["Reservations"] for i in r["Instances"]]
check(len(both) == len(rows), "--starting-token goes on")
running = [i for i in rows if i["State"]["Name"] == "running"]
groups = aws("autoscaling", "describe-auto-scaling-groups")["AutoScalingGroups"]
check(len(groups) >= 6, f"{len(groups)} groups")
clusters = aws("ecs", "list-clusters")["clusterArns"]
services = aws("ecs", "describe-services", "--cluster", "api-prod", "--services", "auth-api")["services"]
check(len(services[0]["deployments"]) == 2, "two deployments")
check(len(aws("elbv2", "describe-target-groups")["TargetGroups"]) > 30, "target groups")
check(len(aws("ssm", "get-parameters-by-path", "--path", "/coredeck/demo/cores")["Parameters"]) > 100, "cores")
check(len(aws("cloudwatch", "describe-alarms")["MetricAlarms"]) > 10, "alarms")
query = [{"Id": "cpu", "MetricStat": {"Stat": "Average", "Period": 300, "Metric": {
    "Namespace": "AWS/EC2", "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "InstanceId", "Value": running[0]["InstanceId"]}]}}}]
data = aws("cloudwatch", "get-metric-data", "--metric-data-queries", json.dumps(query),
           "--start-time", (now - timedelta(hours=1)).isoformat(), "--end-time", now.isoformat())
check(len(data["MetricDataResults"][0]["Values"]) >= 10, "data points")
check(aws("sts", "get-caller-identity")["Arn"].endswith(":user/oncall"), "who am I")
check("InvalidInstanceID.NotFound" in aws("ec2", "describe-instances", "--instance-ids", "i-0123456789abcdef0", code=255), "an unknown instance")
check("ClusterNotFoundException" in aws("ecs", "list-tasks", "--cluster", "nobody", code=255), "an unknown cluster")
check("(InvalidAction)" in aws("ec2", "describe-vpn-gateways", code=255), "an unknown action")
print("\n".join(FAULTS) or "well")
sys.exit(1 if FAULTS else 0)
