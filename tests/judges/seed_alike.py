#!/usr/bin/env python3
"""Makes the fleet of a scenario in one region of an empty moto, so that the simulator and moto can be asked alike.

Usage: seed_alike.py ENDPOINT REGION SCENARIO  ->  counts as JSON on standard output.

Understands the tables and keys that alike.toml uses, and refuses others: what is not seeded cannot be compared."""
import json
import re
import sys
import tomllib
import urllib.request

from cloud import client

KEYS = {
    "hosts": "name count type image tier zone spot cores tenants version tags",
    "template": "name type images",
    "cluster": "name count",
    "group": "name count template type tier min desired max cluster protected suspended target-groups",
    "service": "name count cluster group family revision image cpu memory desired tier",
    "target-group": "name count port path targets",
    "balancer": "name",
    "rule": "balancer count hosts target-group priority",
    "core": "id tier host port version",
    "tenant": "id count name core domain mode",
}


def text(pattern, n):
    def number(found):
        value, (sign, by), width = n, (found[1] or " ", int(found[2] or 1)), int(found[3] or 0)
        value = value // by if sign == "/" else value % by if sign == "%" else value
        return f"{value:0{width}}" if width else str(value)
    return re.sub(r"\{n(?:([/%])(\d+))?(?::(\d+))?\}", number, pattern)


def main(endpoint, region, path):
    with open(path, "rb") as file:
        fleet = tomllib.load(file)["fleet"][0]
    for kind, tables in fleet.items():
        for table in tables if isinstance(tables, list) else []:
            unknown = set(table) - set(KEYS[kind].split())
            assert not unknown, f"{kind}: {unknown} is not seeded here"
    rows = lambda kind: [(table, n) for table in fleet.get(kind, []) for n in range(table.get("count", 1))]
    ec2, scaling, ecs, elb, ssm = (client(s, endpoint, region) for s in ("ec2", "autoscaling", "ecs", "elbv2", "ssm"))
    # Without this every DescribeTasks moves every task one step nearer to STOPPED.
    body = json.dumps({"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000_000}})
    request = urllib.request.Request(
        f"{endpoint}/moto-api/state-manager/set-transition", body.encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=30).read()
    ec2.create_key_pair(KeyName="oncall")
    subnets = {s["AvailabilityZone"][-1]: s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]}
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    images = {}

    def image(name):
        if name not in images:
            images[name] = ec2.register_image(
                Name=name, Architecture="x86_64", RootDeviceName="/dev/xvda", VirtualizationType="hvm",
                BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}],
            )["ImageId"]
        return images[name]

    name = fleet["name"]
    put = lambda key, value: ssm.put_parameter(Name=f"/coredeck/{name}/{key}", Type="String", Value=json.dumps(value))

    def core(id, tier, instance, port, version):
        put(f"cores/{id}", {
            "tier": tier, "instance_id": instance, "container": f"supertokens-{id}", "port": port, "version": version,
            "image": f"supertokens/supertokens-postgresql:{version}",
            "api_key_parameter": f"/coredeck/{name}/secrets/{id}/api-key",
        })

    def tenant(id, called, core, domain, mode):
        put(f"tenants/{id}", {"name": called, "core": core, "domain": domain, "mode": mode})

    machines = {}
    for table, n in rows("hosts"):
        called, tier = text(table["name"], n), table.get("tier", "")
        tags = {"Name": called} | ({"tier": tier} if tier else {}) | {k: text(v, n) for k, v in table.get("tags", {}).items()}
        asked = {"InstanceMarketOptions": {"MarketType": "spot"}} if table.get("spot") else {}
        made = ec2.run_instances(
            MinCount=1, MaxCount=1, InstanceType=table["type"], ImageId=image(table["image"]), KeyName="oncall",
            SubnetId=subnets[table["zone"]],
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}], **asked,
        )["Instances"][0]["InstanceId"]
        machines[called] = [made]
        mode = "development" if tier == "development" else "production"
        for slot in range(table.get("cores", 0)):
            id = called if table["cores"] == 1 else f"{called}-{slot}"
            core(id, tier, made, 3567 + slot, table.get("version", "11.0.4"))
            for number in range(table.get("tenants", 0)):
                who = id if table["tenants"] == 1 else f"{id}-t{number:02}"
                tenant(who, who, id, f"{who}.cores.example.com" if mode == "production" else None, mode)

    groups, balancers = {}, {}
    for table, n in rows("target-group"):
        called = text(table["name"], n)
        groups[called] = elb.create_target_group(
            Name=called, Protocol="HTTP", Port=table.get("port", 3567), VpcId=vpc, TargetType="instance",
            HealthCheckPath=table.get("path", "/hello"),
        )["TargetGroups"][0]["TargetGroupArn"]
        for target in table.get("targets", []):
            ids = [{"Id": i, "Port": table.get("port", 3567)} for i in machines[text(target, n)]]
            elb.register_targets(TargetGroupArn=groups[called], Targets=ids)
    for table, n in rows("balancer"):
        called = text(table["name"], n)
        arn = elb.create_load_balancer(Name=called, Subnets=list(subnets.values())[:2], Scheme="internet-facing")["LoadBalancers"][0]["LoadBalancerArn"]
        answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}]
        redirect = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]
        elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=redirect)
        # HTTPS wants a certificate of another service.
        made = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=443, DefaultActions=answer)
        balancers[called] = made["Listeners"][0]["ListenerArn"]
    for table, n in rows("rule"):
        elb.create_rule(
            ListenerArn=balancers[text(table["balancer"], n)], Priority=table["priority"] + n,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [text(h, n) for h in table["hosts"]]}}],
            Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": groups[text(table["target-group"], n)], "Weight": 1}]}}],
        )

    for table, n in rows("template"):
        ec2.create_launch_template(
            LaunchTemplateName=text(table["name"], n),
            LaunchTemplateData={"ImageId": image(table["images"][0]), "InstanceType": table["type"], "KeyName": "oncall"},
        )
    for table, n in rows("cluster"):
        ecs.create_cluster(clusterName=text(table["name"], n))
    hosts = {}
    for table, n in rows("group"):
        called = text(table["name"], n)
        tags = {"Name": called} | ({"tier": table["tier"]} if "tier" in table else {}) | {"fleet": name}
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=called, MinSize=table["min"], MaxSize=table["max"], DesiredCapacity=table["desired"],
            VPCZoneIdentifier=",".join(subnets[z] for z in "abc"), HealthCheckGracePeriod=300,
            HealthCheckType="ELB" if table.get("target-groups") else "EC2",
            LaunchTemplate={"LaunchTemplateName": text(table["template"], n), "Version": "$Latest"},
            TargetGroupARNs=[groups[text(g, n)] for g in table.get("target-groups", [])],
            NewInstancesProtectedFromScaleIn=table.get("protected", False),
            Tags=[{"ResourceId": called, "ResourceType": "auto-scaling-group", "Key": k, "Value": v, "PropagateAtLaunch": True} for k, v in tags.items()],
        )
        found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[called])["AutoScalingGroups"][0]
        machines[called] = [m["InstanceId"] for m in found["Instances"]]
        if table.get("suspended"):
            scaling.suspend_processes(AutoScalingGroupName=called, ScalingProcesses=table["suspended"])
        if "cluster" in table:
            cluster = text(table["cluster"], n)
            ecs.create_capacity_provider(name=called, autoScalingGroupProvider={
                "autoScalingGroupArn": found["AutoScalingGroupARN"],
                "managedScaling": {"status": "ENABLED", "targetCapacity": 90}, "managedTerminationProtection": "DISABLED",
            })
            known = ecs.describe_clusters(clusters=[cluster])["clusters"][0].get("capacityProviders", [])
            ecs.put_cluster_capacity_providers(cluster=cluster, capacityProviders=[*known, called], defaultCapacityProviderStrategy=[])
            hosts[called] = [
                ecs.register_container_instance(cluster=cluster, instanceIdentityDocument=json.dumps({"instanceId": m}))["containerInstance"]["containerInstanceArn"]
                for m in machines[called]
            ]
    for table in fleet.get("service", []):
        definition = ecs.register_task_definition(family=table["family"], containerDefinitions=[
            {"name": table["family"], "image": table["image"], "cpu": table["cpu"], "memory": table["memory"], "essential": True}
        ])["taskDefinition"]["taskDefinitionArn"]
        for n in range(table.get("count", 1)):
            called, cluster, group = (text(table[k], n) for k in ("name", "cluster", "group"))
            ecs.create_service(cluster=cluster, serviceName=called, taskDefinition=definition, desiredCount=table["desired"],
                               tags=[{"key": "fleet", "value": name}, {"key": "tier", "value": table["tier"]}])
            ecs.update_service(cluster=cluster, service=called, desiredCount=table["desired"])
            # Moto's services make no tasks.
            ecs.start_task(cluster=cluster, taskDefinition=definition, containerInstances=hosts[group][: table["desired"]],
                           group=f"service:{called}", startedBy=f"ecs-svc/{n}")
    for table, n in rows("core"):
        core(text(table["id"], n), table["tier"], machines[text(table["host"], n)][0], table["port"], table["version"])
    for table, n in rows("tenant"):
        domain = text(table["domain"], n) if "domain" in table else None
        id = text(table["id"], n)
        tenant(id, text(table.get("name", id), n), text(table["core"], n), domain, table.get("mode", "production"))
    json.dump({"instances": sum(map(len, machines.values())), "target_groups": len(groups)}, sys.stdout)


main(*sys.argv[1:])
