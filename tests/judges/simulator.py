"""Judges the simulator with boto3: every call it serves, whole and in small pages, with strict.py attached
to check raw answers against AWS's own models, and with a check that no answer holds a member that the
model does not know.  The environment points to the simulator.  Prints one line a fault; exits 1 if any."""
import collections, datetime, json
from judging import *

ec2 = client("ec2")
reservations, _ = pages(ec2, "describe_instances", "Reservations")
instances = [i for r in reservations for i in r["Instances"]]
small, count = pages(ec2, "describe_instances", "Reservations", 5)
same("instances", instances, [i for r in small for i in r["Instances"]])
check(count > 5, "instances come in many small pages")
check(any(len(r["Instances"]) > 3 for r in reservations), "some reservation holds several instances")
ids = [i["InstanceId"] for i in instances]
named = ec2.describe_instances(InstanceIds=ids[:3])
check(sorted(i["InstanceId"] for r in named["Reservations"] for i in r["Instances"]) == sorted(ids[:3]), "named instances")
for name, values, expected in [
    ("instance-type", ["t3.*"], lambda i: i["InstanceType"].startswith("t3.")),
    ("tag:tier", ["prod*"], lambda i: any(t["Key"] == "tier" and t["Value"].startswith("prod") for t in i["Tags"])),
    ("instance-lifecycle", ["spot"], lambda i: i.get("InstanceLifecycle") == "spot"),
    ("instance-state-name", ["terminated", "stopped"], lambda i: i["State"]["Name"] in ("terminated", "stopped")),
    ("availability-zone", [instances[0]["Placement"]["AvailabilityZone"]], lambda i: i["Placement"]["AvailabilityZone"] == instances[0]["Placement"]["AvailabilityZone"]),
]:
    got = [i["InstanceId"] for r in ec2.describe_instances(Filters=[{"Name": name, "Values": values}])["Reservations"] for i in r["Instances"]]
    want = [i["InstanceId"] for i in instances if expected(i)]
    check(got == want and got, f"filter {name}: {len(got)} instead of {len(want)}")
refused("InvalidInstanceID.NotFound", lambda: ec2.describe_instances(InstanceIds=["i-0123456789abcdef0"]), 400)
refused("InvalidInstanceID.Malformed", lambda: ec2.describe_instances(InstanceIds=["nonsense"]), 400)
refused("InvalidParameterCombination", lambda: ec2.describe_instances(InstanceIds=ids[:1], MaxResults=5), 400)
refused("InvalidParameterValue", lambda: ec2.describe_instances(MaxResults=4), 400)
refused("InvalidParameterValue", lambda: ec2.describe_instances(NextToken="x" * 48), 400)
refused("InvalidParameterValue", lambda: ec2.describe_instances(Filters=[{"Name": "no-such", "Values": ["x"]}]), 400)
refused("DryRunOperation", lambda: ec2.describe_instances(DryRun=True), 412)
refused("InvalidAction", lambda: ec2.describe_vpn_gateways(), 400)
statuses, _ = pages(ec2, "describe_instance_status", "InstanceStatuses", IncludeAllInstances=True)
same("statuses", statuses, pages(ec2, "describe_instance_status", "InstanceStatuses", 7, IncludeAllInstances=True)[0])
check(len(statuses) == len(instances), "a status for every instance")
check(any(s.get("Events") for s in statuses), "an event is scheduled")
check(any(s["InstanceStatus"]["Status"] == "impaired" for s in statuses), "an instance is impaired")
templates, _ = pages(ec2, "describe_launch_templates", "LaunchTemplates")
same("templates", templates, pages(ec2, "describe_launch_templates", "LaunchTemplates", 2)[0])
for t in templates:
    versions, _ = pages(ec2, "describe_launch_template_versions", "LaunchTemplateVersions", LaunchTemplateId=t["LaunchTemplateId"])
    same("versions", versions, pages(ec2, "describe_launch_template_versions", "LaunchTemplateVersions", 1, LaunchTemplateId=t["LaunchTemplateId"])[0])
    check(versions[0]["VersionNumber"] == t["LatestVersionNumber"], "the latest version comes first")
all_latest = ec2.describe_launch_template_versions(Versions=["$Latest", "$Default"])["LaunchTemplateVersions"]
check(len(all_latest) == 2 * len(templates), "account-wide versions")
refused("InvalidLaunchTemplateId.NotFound", lambda: ec2.describe_launch_template_versions(LaunchTemplateId="lt-0123456789abcdef0"), 400)
image_ids = sorted({i["ImageId"] for i in instances})
images = ec2.describe_images(ImageIds=image_ids)["Images"]
check(sorted(i["ImageId"] for i in images) == image_ids, "images in use are there")
check(any(i.get("DeprecationTime", "9") < datetime.datetime.now().isoformat() for i in images), "an image in use is deprecated")
check(len(ec2.describe_images(Owners=["self"])["Images"]) == 2, "own images")
pages(ec2, "describe_images", "Images", 2)
refused("InvalidAMIID.NotFound", lambda: ec2.describe_images(ImageIds=["ami-0123456789abcdef0"]), 400)
check(len(ec2.describe_regions()["Regions"]) < len(ec2.describe_regions(AllRegions=True)["Regions"]), "regions to opt into")
check(len(ec2.describe_availability_zones()["AvailabilityZones"]) == 6, "six zones")

asg = client("autoscaling")
groups, _ = pages(asg, "describe_auto_scaling_groups", "AutoScalingGroups")
same("groups", groups, pages(asg, "describe_auto_scaling_groups", "AutoScalingGroups", 2)[0])
members = {i["InstanceId"] for g in groups for i in g["Instances"]}
check(members <= set(ids), "members are instances")
check(all(sum(i["LifecycleState"] != "Standby" for i in g["Instances"]) == g["DesiredCapacity"] for g in groups), "groups are as large as desired")
check("Instances" not in asg.describe_auto_scaling_groups(IncludeInstances=False)["AutoScalingGroups"][0] or not asg.describe_auto_scaling_groups(IncludeInstances=False)["AutoScalingGroups"][0]["Instances"], "without instances")
rows, _ = pages(asg, "describe_auto_scaling_instances", "AutoScalingInstances", 5)
check({r["InstanceId"] for r in rows} == members, "the same members by instance")
acts = [a for g in groups for a in pages(asg, "describe_scaling_activities", "Activities", 1, AutoScalingGroupName=g["AutoScalingGroupName"])[0]]
check(acts == [] or len(acts) >= 4, "activities")
check(any(a["StatusCode"] == "Failed" for a in acts), "an activity failed")
refreshes = [r for g in groups for r in asg.describe_instance_refreshes(AutoScalingGroupName=g["AutoScalingGroupName"])["InstanceRefreshes"]]
check(any(r["Status"] == "InProgress" for r in refreshes), "a refresh is under way")
refused("ValidationError", lambda: asg.describe_instance_refreshes(AutoScalingGroupName="nobody"), 400)
refused("ValidationError", lambda: asg.describe_auto_scaling_groups(MaxRecords=101), 400)
refused("InvalidNextToken", lambda: asg.describe_auto_scaling_groups(NextToken="nonsense"), 400)
refused("InvalidAction", lambda: asg.describe_account_limits(), 400)

ecs = client("ecs")
arns, _ = pages(ecs, "list_clusters", "clusterArns", 1)
clusters = ecs.describe_clusters(clusters=arns, include=["ATTACHMENTS", "SETTINGS", "TAGS"])["clusters"]
check(len(clusters) == len(arns) >= 2, "clusters")
provider_names = [p for c in clusters for p in c["capacityProviders"]]
providers = ecs.describe_capacity_providers(capacityProviders=provider_names[:10], include=["TAGS"])["capacityProviders"]
check(providers, "capacity providers")
token, everyone = None, []
while True:
    answer = ecs.describe_capacity_providers(maxResults=2, **({"nextToken": token} if token else {}))
    everyone += answer["capacityProviders"]
    token = answer.get("nextToken")
    if not token:
        break
check(any(p["name"] == "FARGATE" for p in everyone), "FARGATE is always there")
services, tasks, hosts = [], [], []
for arn in arns:
    found, _ = pages(ecs, "list_services", "serviceArns", cluster=arn)
    same("services", found, pages(ecs, "list_services", "serviceArns", 1, cluster=arn)[0])
    for at in range(0, len(found), 10):
        services += ecs.describe_services(cluster=arn, services=found[at:at + 10], include=["TAGS"])["services"]
    for status in ("RUNNING", "STOPPED"):
        found, _ = pages(ecs, "list_tasks", "taskArns", cluster=arn, desiredStatus=status)
        same("tasks", found, pages(ecs, "list_tasks", "taskArns", 3, cluster=arn, desiredStatus=status)[0])
        for at in range(0, len(found), 100):
            tasks += ecs.describe_tasks(cluster=arn, tasks=found[at:at + 100], include=["TAGS"])["tasks"]
    found, _ = pages(ecs, "list_container_instances", "containerInstanceArns", cluster=arn)
    same("hosts", found, pages(ecs, "list_container_instances", "containerInstanceArns", 3, cluster=arn)[0])
    for at in range(0, len(found), 100):
        hosts += ecs.describe_container_instances(cluster=arn, containerInstances=found[at:at + 100], include=["TAGS"])["containerInstances"]
check(len(hosts) >= 18, f"{len(hosts)} container instances")
check(any(not h["agentConnected"] for h in hosts), "an agent is gone")
check({h["ec2InstanceId"] for h in hosts} <= set(ids), "container instances are instances")
running = collections.Counter(t["containerInstanceArn"] for t in tasks if t["lastStatus"] == "RUNNING")
check(all(h["runningTasksCount"] == running[h["containerInstanceArn"]] for h in hosts), "hosts count their tasks")
check(any(len(s["deployments"]) > 1 for s in services), "a deployment is in progress")
check(any(s["desiredCount"] == 1 and s["deploymentConfiguration"]["minimumHealthyPercent"] == 50 and s["deploymentConfiguration"]["maximumPercent"] == 150 for s in services), "a service is stuck")
for s in services:
    check(s["runningCount"] <= max(s["desiredCount"] * 2, 1), f"{s['serviceName']} runs {s['runningCount']} of {s['desiredCount']}")
    for name in [s["serviceName"]]:
        listed = pages(ecs, "list_tasks", "taskArns", cluster=s["clusterArn"], serviceName=name)[0]
        check(len(listed) == s["runningCount"] + s["pendingCount"], f"{name}: {len(listed)} tasks listed")
for name in sorted({t["taskDefinitionArn"] for t in tasks}):
    definition = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])["taskDefinition"]
    check(definition["taskDefinitionArn"] == name, "task definition")
refused("InvalidParameterException", lambda: ecs.describe_services(cluster=arns[0], services=["x"] * 11), 400)
refused("InvalidParameterException", lambda: ecs.describe_container_instances(cluster=arns[0], containerInstances=["x"] * 101), 400)
refused("ClusterNotFoundException", lambda: ecs.list_tasks(cluster="nobody"), 400)
refused("InvalidParameterException", lambda: ecs.list_tasks(cluster=arns[0], nextToken="nonsense"), 400)
refused("UnknownOperationException", lambda: ecs.list_account_settings(), 400)
check(ecs.describe_services(cluster=arns[0], services=["nobody"])["failures"][0]["reason"] == "MISSING", "a missing service")
ecs.get_waiter("services_stable").wait(cluster="api-prod", services=["auth-core"], WaiterConfig={"Delay": 1, "MaxAttempts": 2})

elb = client("elbv2")
balancers, _ = pages(elb, "describe_load_balancers", "LoadBalancers")
same("balancers", balancers, pages(elb, "describe_load_balancers", "LoadBalancers", 1)[0])
target_groups, _ = pages(elb, "describe_target_groups", "TargetGroups")
same("target groups", target_groups, pages(elb, "describe_target_groups", "TargetGroups", 4)[0])
health = {t["TargetGroupArn"]: elb.describe_target_health(TargetGroupArn=t["TargetGroupArn"])["TargetHealthDescriptions"] for t in target_groups}
states = collections.Counter(h["TargetHealth"]["State"] for hs in health.values() for h in hs)
check(states["unhealthy"] >= 2 and states["healthy"] > 20 and states["draining"] >= 1, f"target states {states}")
rules = []
for b in balancers:
    listeners, _ = pages(elb, "describe_listeners", "Listeners", LoadBalancerArn=b["LoadBalancerArn"])
    for l in listeners:
        found, _ = pages(elb, "describe_rules", "Rules", ListenerArn=l["ListenerArn"])
        same("rules", found, pages(elb, "describe_rules", "Rules", 3, ListenerArn=l["ListenerArn"])[0])
        check(found[-1]["Priority"] == "default", "the default rule comes last")
        rules += found
forwards = {g["TargetGroupArn"] for r in rules for a in r["Actions"] for g in a.get("ForwardConfig", {}).get("TargetGroups", [])}
check(forwards <= set(health), "rules forward to target groups")
check(any(not health[arn] for arn in forwards), "a rule points nowhere")
check(elb.describe_tags(ResourceArns=[balancers[0]["LoadBalancerArn"], target_groups[0]["TargetGroupArn"]])["TagDescriptions"][0]["Tags"], "tags")
check(any(a["Value"] == "300" for a in elb.describe_target_group_attributes(TargetGroupArn=target_groups[0]["TargetGroupArn"])["Attributes"]), "the deregistration delay")
refused("TargetGroupNotFound", lambda: elb.describe_target_health(TargetGroupArn=target_groups[0]["TargetGroupArn"][:-1]), 400)
refused("LoadBalancerNotFound", lambda: elb.describe_load_balancers(Names=["nobody"]), 400)
elb.get_waiter("load_balancer_available").wait(Names=[b["LoadBalancerName"] for b in balancers], WaiterConfig={"Delay": 1, "MaxAttempts": 1})

ssm = client("ssm")
managed, _ = pages(ssm, "describe_instance_information", "InstanceInformationList")
same("managed", managed, pages(ssm, "describe_instance_information", "InstanceInformationList", 5)[0], key=lambda m: m["InstanceId"])
check(any(m["PingStatus"] == "ConnectionLost" for m in managed), "an agent is silent")
parameters, _ = pages(ssm, "get_parameters_by_path", "Parameters", Path="/coredeck/demo", Recursive=True)
same("parameters", parameters, pages(ssm, "get_parameters_by_path", "Parameters", 7, Path="/coredeck/demo", Recursive=True)[0])
cores = {p["Name"].rsplit("/", 1)[1]: json.loads(p["Value"]) for p in pages(ssm, "get_parameters_by_path", "Parameters", Path="/coredeck/demo/cores")[0]}
tenants = {p["Name"].rsplit("/", 1)[1]: json.loads(p["Value"]) for p in pages(ssm, "get_parameters_by_path", "Parameters", Path="/coredeck/demo/tenants/")[0]}
check(len(cores) > 100 and len(tenants) > 200, f"{len(cores)} cores, {len(tenants)} tenants")
check(all(t["core"] in cores for t in tenants.values()), "tenants name cores")
packed = collections.Counter(c["instance_id"] for c in cores.values() if c["tier"] == "development")
check(max(packed.values()) > 7 and min(packed.values()) < 7, f"an overfull host and one with room: {sorted(packed.values())}")
secret = next(iter(cores.values()))["api_key_parameter"]
hidden, shown = ssm.get_parameter(Name=secret)["Parameter"], ssm.get_parameter(Name=secret, WithDecryption=True)["Parameter"]
check(hidden["Type"] == "SecureString" and hidden["Value"] != shown["Value"], "secrets are hidden")
check(ssm.get_parameters(Names=[secret, "/no/such"])["InvalidParameters"] == ["/no/such"], "invalid parameters")
refused("ParameterNotFound", lambda: ssm.get_parameter(Name="/no/such"), 400)
refused("ValidationException", lambda: ssm.get_parameters_by_path(Path="/", MaxResults=11), 400)
refused("InvalidNextToken", lambda: ssm.describe_instance_information(NextToken="nonsense"), 400)

cw = client("cloudwatch")
found = [p for p in cw.get_paginator("describe_alarms").paginate()]
alarms = [a for p in found for a in p["MetricAlarms"]]
same("alarms", alarms, [a for p in cw.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 3}) for a in p["MetricAlarms"]])
check({a["StateValue"] for a in alarms} == {"OK", "ALARM", "INSUFFICIENT_DATA"}, "alarms in every state")
check(all(a["StateValue"] == "ALARM" for a in cw.describe_alarms(StateValue="ALARM")["MetricAlarms"]), "alarms by state")
now = datetime.datetime.now(datetime.timezone.utc)
burstable = next(i["InstanceId"] for i in instances if i["InstanceType"] == "t3.small" and i["State"]["Name"] == "running")
stat = lambda n, i, p=300: {"Id": "m" + str(n), "MetricStat": {"Metric": {"Namespace": "AWS/EC2", "MetricName": ["CPUUtilization", "NetworkIn", "NetworkOut", "CPUCreditBalance"][n], "Dimensions": [{"Name": "InstanceId", "Value": i}]}, "Period": p, "Stat": "Average"}}
ask = dict(MetricDataQueries=[stat(n, burstable) for n in range(4)], StartTime=now - datetime.timedelta(hours=3), EndTime=now)
results = cw.get_metric_data(**ask)["MetricDataResults"]
check(all(len(r["Values"]) >= 34 for r in results), f"points {[len(r['Values']) for r in results]}")
check(len(set(results[0]["Values"])) > 10, "processor use moves")
check(all(0 <= v <= 100 for v in results[0]["Values"]), "processor use is percent")
again = cw.get_metric_data(**ask)["MetricDataResults"]
check([r["Values"] for r in again] == [r["Values"] for r in results], "asked twice, the same figures")
paged = collections.defaultdict(list)
for p in cw.get_paginator("get_metric_data").paginate(PaginationConfig={"PageSize": 10}, **ask):
    for r in p["MetricDataResults"]:
        paged[r["Id"]] += r["Values"]
check(dict(paged) == {r["Id"]: r["Values"] for r in results}, "points in small pages")
spent = cw.get_metric_data(MetricDataQueries=[stat(3, a["Dimensions"][0]["Value"]) for a in alarms if a["AlarmName"] == "prod-slatepay-credits-low"], StartTime=now - datetime.timedelta(hours=1), EndTime=now)["MetricDataResults"]
check(max(spent[0]["Values"]) < 1, "a host is out of credits")
refused("InvalidParameterValue", lambda: cw.get_metric_data(MetricDataQueries=[stat(0, burstable, 61)], StartTime=now - datetime.timedelta(hours=1), EndTime=now), 400)
refused("InvalidParameterValue", lambda: cw.get_metric_data(MetricDataQueries=[stat(0, burstable)], StartTime=now, EndTime=now - datetime.timedelta(hours=1)), 400)

hours = lambda n: now - datetime.timedelta(hours=n)
listed = [m for p in cw.get_paginator("list_metrics").paginate() for m in p["Metrics"]]
same("metrics", listed, listed)
check(len(listed) > 500 and {m["Namespace"] for m in listed} == {"AWS/EC2", "AWS/AutoScaling", "AWS/ECS", "AWS/ApplicationELB"}, f"{len(listed)} metrics")
one = cw.list_metrics(Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "InstanceId", "Value": burstable}])["Metrics"]
check(len(one) == 1 and one[0] in listed, "a metric by its dimension")
check(cw.list_metrics(Namespace="Nobody")["Metrics"] == [], "no metrics of nobody")
seen = collections.Counter()
for m in listed:
    if m["MetricName"] in ("CPUUtilization", "GroupInServiceInstances", "RequestCount", "HealthyHostCount", "MemoryReservation") and seen[m["MetricName"], m["Namespace"]] < 3:
        seen[m["MetricName"], m["Namespace"]] += 1
        got = cw.get_metric_statistics(Namespace=m["Namespace"], MetricName=m["MetricName"], Dimensions=m["Dimensions"], StartTime=hours(2), EndTime=now, Period=300, Statistics=["Average", "Maximum", "SampleCount"])["Datapoints"]
        check(len(got) > 15 or m["Dimensions"][0]["Name"] == "InstanceId", f"{m}: {len(got)} points")
        check(all(d["Maximum"] >= d["Average"] >= 0 and d["SampleCount"] >= 1 for d in got), f"{m} has sound statistics")
        again = cw.get_metric_data(MetricDataQueries=[{"Id": "x", "MetricStat": {"Metric": m, "Period": 300, "Stat": "Average"}}], StartTime=hours(2), EndTime=now)["MetricDataResults"][0]
        check(sorted(again["Values"]) == sorted(d["Average"] for d in got), f"{m}: both calls say the same")
extended = cw.get_metric_statistics(Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "AutoScalingGroupName", "Value": "dev-hosts"}], StartTime=hours(1), EndTime=now, Period=300, ExtendedStatistics=["p50", "p99"])["Datapoints"]
check(extended and all(d["ExtendedStatistics"]["p50"] <= d["ExtendedStatistics"]["p99"] for d in extended), "percentiles")
math = lambda **e: cw.get_metric_data(MetricDataQueries=[stat(0, burstable) | {"ReturnData": False}, stat(1, burstable) | {"ReturnData": False}, *({"Id": k, "Expression": v} for k, v in e.items())], StartTime=hours(1), EndTime=now)["MetricDataResults"]
plain = results[0]["Values"][:11]
doubled = math(d="m0 * 2", s="SUM([m0, d])", f="FILL(m0, 0)", i="IF(m0 > 1000, m0, -1)", a="AVG(METRICS())")
check([r["Id"] for r in doubled] == ["d", "s", "f", "i", "a"], "every expression is answered")
check(all(abs(a - 2 * b) < 1e-6 for a, b in zip(doubled[0]["Values"], plain)), "twice as much")
check(all(abs(a - 3 * b) < 1e-6 for a, b in zip(doubled[1]["Values"], plain)), "an expression of an expression")
check(set(doubled[3]["Values"]) == {-1.0}, "IF")
refused("ValidationError", lambda: math(x="SEARCH('{AWS/EC2}', 'Average')"), 400)
refused("ValidationError", lambda: math(x="y + 1", y="x + 1"), 400)
refused("InvalidParameterCombination", lambda: cw.get_metric_statistics(Namespace="AWS/EC2", MetricName="CPUUtilization", StartTime=hours(48), EndTime=now, Period=60, Statistics=["Sum"]), 400)
cw.get_waiter("alarm_exists").wait(AlarmNames=[alarms[0]["AlarmName"]], WaiterConfig={"Delay": 1, "MaxAttempts": 1})

spot, _ = pages(ec2, "describe_spot_price_history", "SpotPriceHistory", InstanceTypes=["m5.large", "r7g.xlarge"], ProductDescriptions=["Linux/UNIX"], StartTime=now - datetime.timedelta(days=30))
same("spot prices", spot, pages(ec2, "describe_spot_price_history", "SpotPriceHistory", 50, InstanceTypes=["m5.large", "r7g.xlarge"], ProductDescriptions=["Linux/UNIX"], StartTime=now - datetime.timedelta(days=30))[0])
markets = collections.defaultdict(list)
for p in spot:
    markets[p["InstanceType"], p["AvailabilityZone"]].append(p)
check(len(markets) == 12 and all(len(m) > 5 for m in markets.values()), f"spot markets {[len(m) for m in markets.values()]}")
check(all(m[-1]["Timestamp"] <= now - datetime.timedelta(days=30) < m[-2]["Timestamp"] for m in markets.values()), "the price that held at the start comes too, and nothing before it")
check(all(0 < float(p["SpotPrice"]) < 0.22 for p in spot), "spot costs less than the list")
current = ec2.describe_spot_price_history(StartTime=now, InstanceTypes=["m5.large"])
check(len(current["SpotPriceHistory"]) == 6 and current["NextToken"] == "", "the price of now in each zone, and an empty token at the end")
check({p["AvailabilityZone"] for p in ec2.describe_spot_price_history(AvailabilityZone="us-east-1b", MaxResults=2000)["SpotPriceHistory"]} == {"us-east-1b"}, "prices of a zone")
check(ec2.describe_spot_price_history(ProductDescriptions=["Windows"])["SpotPriceHistory"] == [], "no prices of Windows are known")
check(len(ec2.describe_spot_price_history(Filters=[{"Name": "instance-type", "Values": ["c5.*"]}, {"Name": "availability-zone", "Values": ["us-east-1a"]}], StartTime=now)["SpotPriceHistory"]) >= 5, "prices by filters")
refused("InvalidParameterValue", lambda: ec2.describe_spot_price_history(AvailabilityZone="moon-1a"), 400)
refused("InvalidParameterValue", lambda: ec2.describe_spot_price_history(Filters=[{"Name": "colour", "Values": ["red"]}]), 400)
kinds, _ = pages(ec2, "describe_instance_types", "InstanceTypes")
same("types", kinds, pages(ec2, "describe_instance_types", "InstanceTypes", 5)[0])
check({i["InstanceType"] for i in instances} <= {k["InstanceType"] for k in kinds}, "every type in use is described")
check({k["InstanceType"] for k in kinds if k["VCpuInfo"]["DefaultVCpus"] == 4} == {k["InstanceType"] for k in ec2.describe_instance_types(Filters=[{"Name": "vcpu-info.default-vcpus", "Values": ["4"]}])["InstanceTypes"]}, "types by processors")
refused("InvalidInstanceType", lambda: ec2.describe_instance_types(InstanceTypes=["m5.gigantic"]), 400)
offered, _ = pages(ec2, "describe_instance_type_offerings", "InstanceTypeOfferings", LocationType="availability-zone")
same("offerings", offered, pages(ec2, "describe_instance_type_offerings", "InstanceTypeOfferings", 10, LocationType="availability-zone")[0])
check(len(offered) == 6 * len(kinds), "every type in every zone")

sts = client("sts")
me = sts.get_caller_identity()
check(len(me["Account"]) == 12, "an account number")
role = sts.assume_role(RoleArn=f"arn:aws:iam::{me['Account']}:role/coredeck/reader", RoleSessionName="judge")
keys = role["Credentials"]
other = client("sts", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
check(other.get_caller_identity()["Arn"] == f"arn:aws:sts::{me['Account']}:assumed-role/reader/judge", "the role's identity")
refused("AccessDenied", lambda: sts.assume_role(RoleArn="arn:aws:iam::000000000001:role/x", RoleSessionName="judge"), 403)
refused("ValidationError", lambda: sts.assume_role(RoleArn="nonsense-that-is-long-enough", RoleSessionName="judge"), 400)
elsewhere = client("ec2", region_name="eu-west-1")
check(elsewhere.describe_instances()["Reservations"] == [], "regions are separate")
refused("AuthFailure", lambda: client("ec2", region_name="me-south-1").describe_instances(), 401)

dns = client("route53")
zones, _ = pages(dns, "list_hosted_zones", "HostedZones")
same("zones", zones, pages(dns, "list_hosted_zones", "HostedZones", 1)[0])
check({(z["Name"], z["Config"]["PrivateZone"]) for z in zones} == {("cores.example.com.", False), ("internal.example.com.", True)}, f"zones {zones}")
zone = next(z["Id"] for z in zones if not z["Config"]["PrivateZone"])
records, _ = pages(dns, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone)
same("records", records, pages(dns, "list_resource_record_sets", "ResourceRecordSets", 1, HostedZoneId=zone)[0])
check(len(records) == zones[0]["ResourceRecordSetCount"] and {"NS", "SOA", "A", "AAAA"} <= {r["Type"] for r in records}, "records of every sort")
check(sum(r.get("Weight", 0) for r in records) == 100 and any(r["Name"].startswith("\\052.") for r in records), "weights and wildcards")
aliases = {r["AliasTarget"]["DNSName"] for r in records if "AliasTarget" in r}
check({f"dualstack.{b['DNSName']}." for b in client("elbv2").describe_load_balancers()["LoadBalancers"]} == aliases, "aliases of both balancers")
from_there = dns.list_resource_record_sets(HostedZoneId=zone, StartRecordName="kitewire.cores.example.com", StartRecordType="A", StartRecordIdentifier="old")
check(from_there["ResourceRecordSets"][0].get("SetIdentifier") == "old", "a page that begins within a set")
refused("NoSuchHostedZone", lambda: dns.list_resource_record_sets(HostedZoneId="Z0"), 404)
refused("InvalidInput", lambda: dns.list_resource_record_sets(HostedZoneId=zone, StartRecordType="A"), 400)
refused("InvalidInput", lambda: dns.list_hosted_zones(Marker="Z0"), 400)
logs = client("logs")
log_groups, _ = pages(logs, "describe_log_groups", "logGroups")
same("log groups", log_groups, pages(logs, "describe_log_groups", "logGroups", 2)[0])
check([g["logGroupName"] for g in log_groups if "retentionInDays" not in g] == ["/ecs/auth-api"], "one log group is kept for ever")
hosts_group, minutes = "/coredeck/core-hosts", 60_000
streams, _ = pages(logs, "describe_log_streams", "logStreams", logGroupName=hosts_group)
same("log streams", streams, pages(logs, "describe_log_streams", "logStreams", 7, logGroupName=hosts_group)[0])
stream_names = [s["logStreamName"] for s in streams]
check("prod-slatepay" in stream_names and "shared-prod-1" in stream_names and not any(n.startswith("dev-") for n in stream_names), "streams of cores")
newest = logs.describe_log_streams(logGroupName=hosts_group, orderBy="LastEventTime", descending=True, limit=1)["logStreams"][0]
this = newest["lastEventTimestamp"]
window = dict(logGroupName=hosts_group, startTime=this - 10 * minutes, endTime=this - minutes)
events, _ = pages(logs, "filter_log_events", "events", logStreamNames=["prod-slatepay", "shared-prod-1"], **window)
same("log events", events, pages(logs, "filter_log_events", "events", 500, logStreamNames=["prod-slatepay", "shared-prod-1"], **window)[0])
check(len({e["eventId"] for e in events}) == len(events) > 100, f"{len(events)} events, each with its own id")
check([e["timestamp"] for e in events] == sorted(e["timestamp"] for e in events), "events in the order of time")
check(all(window["startTime"] <= e["timestamp"] < window["endTime"] for e in events), "events of the window")
check({e["logStreamName"] for e in events} == {"prod-slatepay", "shared-prod-1"}, "events of two streams")
check(any("| API called: /recipe/" in e["message"] and "Tenant(" in e["message"] for e in events), "the cores' own lines")
ended = pages(logs, "filter_log_events", "events", logStreamNames=["shared-prod-1"], filterPattern='"API ended" -signin', **window)[0]
check([e["eventId"] for e in ended] == [e["eventId"] for e in events if e["logStreamName"] == "shared-prod-1" and "API ended" in e["message"] and "signin" not in e["message"]], "a filter pattern")
dull = logs.filter_log_events(logGroupName=hosts_group, filterPattern="nobody-says-this", startTime=this - 300 * minutes)
check(dull["events"] == [] and dull.get("nextToken"), "a page without events has a token")
tailed = logs.get_log_events(logGroupName=hosts_group, logStreamName="prod-slatepay", limit=20)
check(len(tailed["events"]) == 20 and tailed["nextBackwardToken"].startswith("b/"), "the last events of a stream")
before = logs.get_log_events(logGroupName=hosts_group, logStreamName="prod-slatepay", limit=20, nextToken=tailed["nextBackwardToken"])
check(before["events"][-1]["timestamp"] <= tailed["events"][0]["timestamp"], "those before them")
again = logs.get_log_events(logGroupName=hosts_group, logStreamName="prod-slatepay", limit=20, nextToken=before["nextForwardToken"])
check([e["message"] for e in again["events"]] == [e["message"] for e in tailed["events"]], "and forward again")
at_end = logs.get_log_events(logGroupName=hosts_group, logStreamName="prod-slatepay", nextToken=tailed["nextForwardToken"])
check(at_end["events"] == [] and at_end["nextForwardToken"] == tailed["nextForwardToken"], "the end's token repeats itself")
head = logs.get_log_events(logGroupName=hosts_group, logStreamName="prod-slatepay", startFromHead=True, startTime=window["startTime"], endTime=window["endTime"])
check([e["message"] for e in head["events"]] == [e["message"] for e in events if e["logStreamName"] == "prod-slatepay"], "a stream from its head")
refused("ResourceNotFoundException", lambda: logs.filter_log_events(logGroupName="/no/such"), 400)
refused("ResourceNotFoundException", lambda: logs.filter_log_events(logGroupName=hosts_group, logStreamNames=["nobody"]), 400)
refused("InvalidParameterException", lambda: logs.filter_log_events(logGroupName=hosts_group, nextToken="nonsense"), 400)
pricing = client("pricing", region_name="us-east-1")
match = lambda **k: [{"Type": "TERM_MATCH", "Field": f, "Value": v} for f, v in k.items()]
prices, _ = pages(pricing, "get_products", "PriceList", ServiceCode="AmazonEC2", Filters=match(regionCode="us-east-1", operatingSystem="Linux"))
check(len(prices) > 250 and len(set(prices)) == len(prices), f"{len(prices)} prices")
check(len(pages(pricing, "get_products", "PriceList", 10, ServiceCode="AmazonEC2", Filters=[{"Type": "ANY_OF", "Field": "instanceType", "Value": "t3.small,m5.large"}])[0]) == 2, "any of two")
check(len(pages(pricing, "get_products", "PriceList", ServiceCode="AmazonEC2", Filters=[{"Type": "CONTAINS", "Field": "instanceType", "Value": "m5."}])[0]) > 5, "a part of a name")
check(pages(pricing, "get_products", "PriceList", ServiceCode="AmazonEC2", Filters=match(operatingSystem="Windows"))[0] == [], "no prices of Windows are known")
check(pages(pricing, "get_products", "PriceList", ServiceCode="AmazonEC2", Filters=match(colour="red"))[0] == [], "nothing has a colour")
services_of = pages(pricing, "describe_services", "Services")[0]
check(services_of[0]["ServiceCode"] == "AmazonEC2" and "instanceType" in services_of[0]["AttributeNames"], "the service of the prices")
check(len(pages(pricing, "get_attribute_values", "AttributeValues", 50, ServiceCode="AmazonEC2", AttributeName="instanceType")[0]) == len(prices), "types as values")
refused("InvalidParameterException", lambda: pricing.get_products(ServiceCode="AmazonEC2", Filters=[{"Type": "RHYMES", "Field": "x", "Value": "y"}]), 400)
micro = json.loads(pricing.get_products(ServiceCode="AmazonEC2", Filters=match(instanceType="t2.micro"))["PriceList"][0])
check([d["pricePerUnit"]["USD"] for t in micro["terms"]["OnDemand"].values() for d in t["priceDimensions"].values()] == ["0.0116000000"], "the price of a t2.micro")

hooks = asg.describe_lifecycle_hooks(AutoScalingGroupName="workers-m7g")["LifecycleHooks"]
check([h["LifecycleHookName"] for h in hooks] == ["ecs-managed-draining-termination-hook"], "the hook of managed draining")
check(ec2.describe_instance_attribute(InstanceId=ids[0], Attribute="disableApiTermination")["DisableApiTermination"] == {"Value": False}, "an attribute")
check(len(ecs.get_task_protection(cluster="workers-prod")["protectedTasks"]) > 5, "tasks that are not protected")
shell = ssm.describe_document(Name="AWS-RunShellScript")["Document"]
check(json.loads(ssm.get_document(Name="AWS-RunShellScript")["Content"])["schemaVersion"] == "2.2" and shell["Owner"] == "Amazon", "AWS's own document")
check(pages(ssm, "list_commands", "Commands")[0] == pages(ssm, "list_command_invocations", "CommandInvocations")[0] == [], "no commands yet")
for state in ("Active", "History"):
    check(pages(ssm, "describe_sessions", "Sessions", State=state)[0] == [], "no sessions yet")
refused("InvocationDoesNotExist", lambda: ssm.get_command_invocation(CommandId="0" * 36, InstanceId=ids[0]), 400)
history, _ = pages(ssm, "get_parameter_history", "Parameters", Name=secret, WithDecryption=True)
check([v["Version"] for v in history] == [1], "one version")
# What a model requires is missed: nothing may be answered, and the code is one that the model lists.
lax = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
for name in list(CLIENTS):
    client(name, config=lax)
for c, name, operation in served():
    shape = c.meta.service_model.operation_model(operation).input_shape
    # Where a path holds what is missing, botocore itself cannot write the request.
    if shape is not None and shape.required_members and name != "route53":
        try:
            getattr(c, xform_name(operation))()
            fault(f"{name}.{operation} without {', '.join(shape.required_members)} is answered")
        except ClientError as error:
            check(error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404), f"{operation} of nothing: {error}")

for paginator in unpaged():
    fault(f"{paginator} has pages, is served, and was not judged by botocore's paginator")
verdict(instances=len(instances), groups=len(groups), services=len(services), tasks=len(tasks), hosts=len(hosts),
        cores=len(cores), tenants=len(tenants), rules=len(rules))
