#!/usr/bin/env python3
"""Fills one region of an empty moto with a small fleet in which every change has something of its own to change:
moto's scale-in takes whichever member comes first, so no two changes share a group.

Usage: seed_changes.py ENDPOINT REGION  ->  what was made, as JSON."""
import json
import sys
import urllib.request

from cloud import client

# Each with so many members; those of `traffic` are behind a load balancer's group.
GROUPS = {"guarded": 2, "spare": 3, "back": 2, "sized": 2, "still": 1, "ended": 3, "moved": 3, "hosts": 4}
TRAFFIC = ["spare", "moved"]


def main(endpoint, region):
    ec2, groups, ecs, elb = (client(name, endpoint, region) for name in ("ec2", "autoscaling", "ecs", "elbv2"))
    # Without this every DescribeTasks moves every task one step nearer to STOPPED.
    body = json.dumps({"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000_000}})
    request = urllib.request.Request(
        f"{endpoint}/moto-api/state-manager/set-transition", body.encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=30).read()

    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    images = ["ami-0aaaaaaaaaaaaaaaa", "ami-0bbbbbbbbbbbbbbbb"]
    template = ec2.create_launch_template(
        LaunchTemplateName="cores", LaunchTemplateData={"ImageId": images[0], "InstanceType": "t3.large"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    targets = {
        name: elb.create_target_group(Name=name, Protocol="HTTP", Port=3567, VpcId=vpc, TargetType="instance")[
            "TargetGroups"
        ][0]["TargetGroupArn"]
        for name in (*TRAFFIC, "direct", "other")
    }
    members = {}
    for name, size in GROUPS.items():
        groups.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=6, DesiredCapacity=size, VPCZoneIdentifier=subnet,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
            **({"TargetGroupARNs": [targets[name]]} if name in TRAFFIC else {}),
        )
        made = groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
        members[name] = sorted(member["InstanceId"] for member in made["Instances"])
    asked = dict(ImageId=images[0], InstanceType="t3.large", SubnetId=subnet, MinCount=1, MaxCount=1)
    alone = [ec2.run_instances(**asked)["Instances"][0]["InstanceId"] for _ in range(8)]
    elb.register_targets(TargetGroupArn=targets["direct"], Targets=[{"Id": alone[0], "Port": 3567}])
    elb.register_targets(TargetGroupArn=targets["other"], Targets=[{"Id": alone[1], "Port": 80}])

    ecs.create_cluster(clusterName="cores")
    machines = [*alone[:2], *members["moved"], *members["hosts"]]
    hosts = {
        machine: ecs.register_container_instance(
            cluster="cores", instanceIdentityDocument=json.dumps({"instanceId": machine})
        )["containerInstance"]["containerInstanceArn"]
        for machine in machines
    }
    definition = ecs.register_task_definition(
        family="core",
        containerDefinitions=[{"name": "core", "image": "registry.example.com/core:11.0.4", "memory": 64, "essential": True}],
    )["taskDefinition"]["taskDefinitionArn"]
    services = {
        name: ecs.create_service(cluster="cores", serviceName=name, taskDefinition=definition, desiredCount=2)["service"]
        ["serviceArn"]
        for name in ("api", "sized", "again")
    }
    for name in services:
        # Moto's services have no tasks of their own, and count as running what was last wished.
        ecs.update_service(cluster="cores", service=name, desiredCount=2)

    def task(machine, **more):
        started = ecs.start_task(
            cluster="cores", taskDefinition=definition, containerInstances=[hosts[machine]], **more
        )["tasks"]
        return [one["taskArn"] for one in started]

    kept = dict(group="service:api", startedBy="ecs-svc/1")
    tasks = {machine: task(machine, **kept) for machine in (alone[0], *members["moved"], *members["hosts"][:2])}
    alone_tasks = task(members["hosts"][3], startedBy="somebody") + task(members["hosts"][3], startedBy="somebody")
    print(json.dumps({
        "members": members, "alone": alone, "hosts": hosts, "tasks": tasks, "alone_tasks": alone_tasks,
        "targets": targets, "services": services, "template": template, "images": images,
        "cluster": ecs.describe_clusters(clusters=["cores"])["clusters"][0]["clusterArn"],
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
