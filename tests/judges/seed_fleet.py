#!/usr/bin/env python3
"""Fills one region of an empty moto with a fleet of several hundred instances and everything around them.

Usage: seed_fleet.py ENDPOINT REGION FLEET  ->  counts as JSON on standard output.

The awkward is here on purpose: reservations of a hundred, stopped and terminated instances, spot, tags that try to
drive a terminal, more launch templates than moto's silent cut of fifteen, more registry parameters than one page of
ten, a template version older than the default, an image that is gone, an ECS host whose instance is stopped."""
import json
import sys
import urllib.request

from cloud import client

# What XML 1.0 can carry: EC2 answers in it, and moto writes a raw escape character into it, which no parser takes.
# Escape characters therefore come by the JSON services: ECS tags and the registry.
HOSTILE = {
    "c1": "\x9b31mred\x9b0m\x9d0;title\x9c",
    "newline": "two\nlines\tand a tab",
    "delete": "a\x7fb",
    "bidi": "abc\u202etxt.exe\u202c",
    "hebrew": "שלום-prod",
    "arabic": "خادم الإنتاج",
    "emoji": "👩‍💻 cœur №1",
    "wide": "本番サーバー",
    "long": "x" * 256,
    "empty": "",
    "quote": "a,\"b\";'c' <d> &amp; \\e",
    "formula": "=1+1",
}

ESCAPE = "\x1b[2J\x1b[31mred\x1b]0;title\x07\x00"


def main(endpoint, region, fleet):
    ec2 = client("ec2", endpoint, region)
    groups = client("autoscaling", endpoint, region)
    ecs = client("ecs", endpoint, region)
    elb = client("elbv2", endpoint, region)
    ssm = client("ssm", endpoint, region)
    watch = client("cloudwatch", endpoint, region)

    # Without this every DescribeTasks moves every task one step nearer to STOPPED.
    body = json.dumps({"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000_000}})
    request = urllib.request.Request(
        f"{endpoint}/moto-api/state-manager/set-transition", body.encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=30).read()

    zones = [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]][:3]
    subnets = {
        s["AvailabilityZone"]: s["SubnetId"] for s in ec2.describe_subnets()["Subnets"] if s["AvailabilityZone"] in zones
    }
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    public = ec2.describe_images(Filters=[{"Name": "name", "Values": ["al2023-ami-ecs-hvm-2023*x86_64*"]}])["Images"]
    public = sorted(image["ImageId"] for image in public)[:2]
    security = ec2.create_security_group(GroupName="cores", Description="cores", VpcId=vpc)["GroupId"]

    def launch(count, kind, zone, tags=None, image=None, spot=False, key=None):
        asked = {
            "MinCount": count,
            "MaxCount": count,
            "InstanceType": kind,
            "ImageId": image or public[0],
            "SubnetId": subnets[zone],
            "SecurityGroupIds": [security],
        }
        if tags:
            pairs = [{"Key": k, "Value": v} for k, v in tags.items()]
            asked["TagSpecifications"] = [{"ResourceType": "instance", "Tags": pairs}]
        if spot:
            asked["InstanceMarketOptions"] = {"MarketType": "spot"}
        if key:
            asked["KeyName"] = key
        return [i["InstanceId"] for i in ec2.run_instances(**asked)["Instances"]]

    # Two reservations that hold a hundred each, one of thirty, and forty of one.
    ec2.create_key_pair(KeyName="oncall")
    production = launch(100, "t2.micro", zones[0], {"tier": "production", "Name": "prod"})
    production += launch(100, "t2.micro", zones[1], {"tier": "production"}, image=public[1])
    development = launch(30, "t3.small", zones[2], {"tier": "development", "Name": "dev"}, spot=True)
    single = [
        launch(1, "t3.large", zones[n % 3], {"tier": "shared", "Name": f"shared-{n:02}"}, key="oncall")[0]
        for n in range(40)
    ]
    hostile = [launch(1, "t3.small", zones[0], {"Name": text, "kind": word})[0] for word, text in HOSTILE.items()]
    untagged = launch(1, "m5.large", zones[0])
    gone_image = launch(2, "t3.small", zones[1], {"Name": "orphan"}, image="ami-0123456789abcdef0")
    ec2.stop_instances(InstanceIds=development[:4] + single[-2:])
    ec2.terminate_instances(InstanceIds=production[90:97] + hostile[-1:])
    own_image = ec2.create_image(InstanceId=single[0], Name="core-image", Description="made here")["ImageId"]
    own_hosts = launch(3, "t3.large", zones[2], {"tier": "shared", "Name": "own-image"}, image=own_image)

    # Eighteen templates; the first has five versions, of which the default is neither first nor last.
    templates = []
    for n in range(18):
        made = ec2.create_launch_template(
            LaunchTemplateName=f"cores-{n:02}",
            VersionDescription="first",
            LaunchTemplateData={"ImageId": public[0], "InstanceType": "t3.small", "KeyName": "oncall"},
            TagSpecifications=[
                {"ResourceType": "launch-template", "Tags": [{"Key": "tier", "Value": "shared"}, {"Key": "n", "Value": str(n)}]}
            ],
        )
        templates.append(made["LaunchTemplate"]["LaunchTemplateId"])
    for n in range(2, 6):
        ec2.create_launch_template_version(
            LaunchTemplateId=templates[0],
            VersionDescription=f"version {n} \x9b5m",
            LaunchTemplateData={"ImageId": public[n % 2], "InstanceType": "t3.large"},
        )
    ec2.modify_launch_template(LaunchTemplateId=templates[0], DefaultVersion="3")
    ec2.create_launch_template_version(
        LaunchTemplateId=templates[1],
        LaunchTemplateData={"ImageId": "resolve:ssm:/aws/service/ami", "InstanceMarketOptions": {"MarketType": "spot"}},
    )

    load_balancers, target_groups = [], []
    for n in range(2):
        made = elb.create_load_balancer(Name=f"cores-{n}", Subnets=list(subnets.values()), Scheme="internal")
        load_balancers.append(made["LoadBalancers"][0]["LoadBalancerArn"])
    for n in range(6):
        made = elb.create_target_group(
            Name=f"cores-{n}", Protocol="HTTP", Port=3567 + n, VpcId=vpc, TargetType="instance", HealthCheckPath="/hello"
        )
        target_groups.append(made["TargetGroups"][0]["TargetGroupArn"])
    for n, arn in enumerate(target_groups[:5]):
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": i, "Port": 3567 + n} for i in single[n * 5 : n * 5 + 5]])
    listeners = []
    for n, arn in enumerate(load_balancers):
        made = elb.create_listener(
            LoadBalancerArn=arn,
            Protocol="HTTP",
            Port=80 + n,
            DefaultActions=[
                {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain"}}
            ],
        )
        listeners.append(made["Listeners"][0]["ListenerArn"])
    for n in range(25):
        elb.create_rule(
            ListenerArn=listeners[n % 2],
            Priority=10 + n,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [f"tenant-{n:02}.example.com"]}}]
            + ([{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/auth/*"]}}] if n % 3 == 0 else []),
            Actions=[
                {
                    "Type": "forward",
                    "ForwardConfig": {
                        "TargetGroups": [
                            {"TargetGroupArn": target_groups[n % 5], "Weight": 90},
                            {"TargetGroupArn": target_groups[(n + 1) % 5], "Weight": 10},
                        ]
                        if n % 4 == 0
                        else [{"TargetGroupArn": target_groups[n % 5], "Weight": 1}]
                    },
                }
            ],
        )
    elb.create_rule(
        ListenerArn=listeners[0],
        Priority=900,
        Conditions=[{"Field": "path-pattern", "Values": ["/old/*"]}],
        Actions=[{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Host": "new.example.com"}}],
    )

    # Groups: a plain one, one of another version, a mixed one with spot, an empty one, and enough for a second page.
    def group(name, size, **more):
        groups.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=max(size * 2, 4),
            DesiredCapacity=size,
            VPCZoneIdentifier=",".join(subnets.values()),
            **more,
        )

    tag = lambda name, key, value: {
        "ResourceId": name, "ResourceType": "auto-scaling-group", "Key": key, "Value": value, "PropagateAtLaunch": True,
    }
    group(
        "cores-shared", 12,
        LaunchTemplate={"LaunchTemplateId": templates[0], "Version": "$Latest"},
        TargetGroupARNs=[target_groups[5]], HealthCheckType="ELB", HealthCheckGracePeriod=90,
        Tags=[tag("cores-shared", "tier", "shared"), tag("cores-shared", "Name", "core-host")],
    )
    group(
        "cores-pinned", 4,
        LaunchTemplate={"LaunchTemplateId": templates[0], "Version": "2"},
        NewInstancesProtectedFromScaleIn=True,
        Tags=[tag("cores-pinned", "tier", "production")],
    )
    group(
        "cores-mixed", 3,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateName": "cores-02", "Version": "$Default"},
                "Overrides": [
                    {"InstanceType": "t3.large", "WeightedCapacity": "2"},
                    {"InstanceType": "t3a.large", "WeightedCapacity": "2"},
                    {"InstanceType": "m5.large"},
                ],
            },
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 1,
                "OnDemandPercentageAboveBaseCapacity": 25,
                "SpotAllocationStrategy": "price-capacity-optimized",
            },
        },
        Tags=[tag("cores-mixed", "tier", "development")],
    )
    group("cores-empty", 0, LaunchTemplate={"LaunchTemplateName": "cores-03", "Version": "1"})
    for n in range(60):
        group(f"idle-{n:02}", 0, LaunchTemplate={"LaunchTemplateId": templates[4], "Version": "$Default"})
    groups.attach_instances(AutoScalingGroupName="cores-mixed", InstanceIds=development[4:7])
    groups.suspend_processes(AutoScalingGroupName="cores-pinned", ScalingProcesses=["Launch", "AZRebalance"])
    members = groups.describe_auto_scaling_groups(AutoScalingGroupNames=["cores-shared"])["AutoScalingGroups"][0]
    members = [m["InstanceId"] for m in members["Instances"]]
    groups.set_instance_protection(
        AutoScalingGroupName="cores-shared", InstanceIds=members[:2], ProtectedFromScaleIn=True
    )
    groups.enter_standby(
        AutoScalingGroupName="cores-shared", InstanceIds=members[2:3], ShouldDecrementDesiredCapacity=True
    )

    # Two clusters with hosts, services and tasks; a third with none.
    ecs.create_cluster(clusterName="cores-a", tags=[{"key": "tier", "value": "shared"}, {"key": "Name", "value": ESCAPE}])
    ecs.create_cluster(clusterName="cores-b")
    ecs.create_cluster(clusterName="cores-empty")
    arn = groups.describe_auto_scaling_groups(AutoScalingGroupNames=["cores-shared"])["AutoScalingGroups"][0][
        "AutoScalingGroupARN"
    ]
    ecs.create_capacity_provider(
        name="cores-capacity",
        autoScalingGroupProvider={
            "autoScalingGroupArn": arn,
            "managedScaling": {"status": "ENABLED", "targetCapacity": 80},
            "managedTerminationProtection": "ENABLED",
        },
    )
    ecs.put_cluster_capacity_providers(
        cluster="cores-a",
        capacityProviders=["cores-capacity"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "cores-capacity", "weight": 1}],
    )
    hosts = {}
    for cluster, machines in {"cores-a": members[3:] + single[25:30], "cores-b": single[30:40]}.items():
        hosts[cluster] = [
            ecs.register_container_instance(
                cluster=cluster, instanceIdentityDocument=json.dumps({"instanceId": machine})
            )["containerInstance"]["containerInstanceArn"]
            for machine in machines
        ]
    ecs.update_container_instances_state(cluster="cores-b", containerInstances=hosts["cores-b"][:1], status="DRAINING")
    family = "core"
    for memory in (256, 384):
        definition = ecs.register_task_definition(
            family=family,
            containerDefinitions=[
                {
                    "name": "core",
                    "image": "registry.example.com/supertokens-postgresql:11.0.4",
                    "cpu": 64,
                    "memory": memory,
                    "essential": True,
                    "portMappings": [{"containerPort": 3567, "hostPort": 0}],
                }
            ],
        )["taskDefinition"]["taskDefinitionArn"]
    tasks = []
    for cluster in ("cores-a", "cores-b"):
        for n in range(13):
            ecs.create_service(
                cluster=cluster,
                serviceName=f"core-{n:02}",
                taskDefinition=definition,
                desiredCount=2 if n < 4 else 0,
                launchType="EC2",
                loadBalancers=[{"targetGroupArn": target_groups[5], "containerName": "core", "containerPort": 3567}]
                if n == 0
                else [],
                tags=[{"key": "tier", "value": "shared"}, {"key": "note", "value": ESCAPE}] if n % 2 else [],
            )
            if n < 4:
                ecs.update_service(cluster=cluster, service=f"core-{n:02}", desiredCount=2)
                tasks += ecs.start_task(
                    cluster=cluster,
                    taskDefinition=definition,
                    containerInstances=hosts[cluster][1 + n : 3 + n],
                    group=f"service:core-{n:02}",
                    startedBy=f"ecs-svc/{n}",
                )["tasks"]
        tasks += ecs.start_task(
            cluster=cluster, taskDefinition=definition, containerInstances=hosts[cluster][1:2], startedBy="a person"
        )["tasks"]
    ecs.stop_task(cluster="cores-a", task=tasks[0]["taskArn"], reason="stopped for the judge")

    # The registry: more of each than one page, a broken value, and a secret that must stay one.
    cores = {}
    for n in range(14):
        cores[f"core-{n:02}"] = {
            "tier": "shared" if n < 10 else "development",
            "instance_id": single[n] if n < 10 else development[n],
            "container": f"supertokens-{n}",
            "port": 3567 + n % 7,
            "version": "11.0.4",
            "image": "registry.example.com/supertokens-postgresql:11.0.4",
            "api_key_parameter": f"/coredeck/{fleet}/keys/core-{n:02}",
            "written_by": "a newer version",
        }
    for name, value in cores.items():
        ssm.put_parameter(Name=f"/coredeck/{fleet}/cores/{name}", Type="String", Value=json.dumps(value))
    ssm.put_parameter(Name=f"/coredeck/{fleet}/cores/broken", Type="String", Value="{not json")
    for n in range(33):
        value = {
            "name": f"Customer {n}" if n else ESCAPE,
            "core": f"core-{n % 10:02}",
            "domain": f"tenant-{n:02}.example.com",
            "mode": "production" if n % 3 else "development",
        }
        ssm.put_parameter(Name=f"/coredeck/{fleet}/tenants/tenant-{n:02}", Type="String", Value=json.dumps(value))
    ssm.put_parameter(Name=f"/coredeck/{fleet}/keys/core-00", Type="SecureString", Value="the-secret-api-key")

    dns = client("route53", endpoint, region)
    zone = dns.create_hosted_zone(Name="example.com.", CallerReference="public")["HostedZone"]["Id"]
    dns.create_hosted_zone(Name="elsewhere.org.", CallerReference="elsewhere")
    answers = [{"Value": "203.0.113.9"}]
    shown = elb.describe_load_balancers()["LoadBalancers"]
    alias = lambda n: {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": f"dualstack.{shown[n]['DNSName']}.", "EvaluateTargetHealth": False}
    named = [
        {"Name": "tenant-00.example.com", "Type": "A", "AliasTarget": alias(0)},
        {"Name": "tenant-01.example.com", "Type": "CNAME", "TTL": 3600, "ResourceRecords": [{"Value": "Tenant-00.example.com."}]},
        {"Name": "tenant-02.example.com", "Type": "A", "SetIdentifier": "old", "Weight": 10, "TTL": 60, "ResourceRecords": answers},
        {"Name": "tenant-02.example.com", "Type": "A", "SetIdentifier": "new", "Weight": 90, "AliasTarget": alias(1)},
        {"Name": "*.example.com", "Type": "A", "AliasTarget": alias(1)},
    ]
    named += [{"Name": f"filler-{n:03}.example.com", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]} for n in range(640)]
    for at in range(0, len(named), 500):
        changes = [{"Action": "CREATE", "ResourceRecordSet": each} for each in named[at : at + 500]]
        dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    for n, state in enumerate(["OK", "ALARM", "INSUFFICIENT_DATA"]):
        watch.put_metric_alarm(
            AlarmName=f"cpu-{n}", Namespace="AWS/EC2", MetricName="CPUUtilization", Statistic="Average", Period=60,
            EvaluationPeriods=2, Threshold=80.0, ComparisonOperator="GreaterThanThreshold",
            Dimensions=[{"Name": "AutoScalingGroupName", "Value": "cores-shared"}],
        )
        watch.set_alarm_state(AlarmName=f"cpu-{n}", StateValue=state, StateReason="set by the judge")

    print(json.dumps({
        "launched": len(production + development + single + hostile + untagged + gone_image + own_hosts),
        "hostile": {word: [i, HOSTILE[word]] for word, i in zip(HOSTILE, hostile)},
        "gone_image": gone_image,
        "stopped": development[:4] + single[-2:],
        "terminated": production[90:97] + hostile[-1:],
        "spot": development,
        "registry_cores": len(cores),
        "registry_tenants": 33,
        "balancers": [each["LoadBalancerName"] for each in shown],
        "single": single,
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
