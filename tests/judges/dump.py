#!/usr/bin/env python3
"""Lists one region with boto3 and prints it as JSON with AWS's own field names: what the answers must equal.

Usage: dump.py ENDPOINT REGION [KIND…]  ->  {"instances": […], …}.  Dates are RFC 3339 in UTC."""
import datetime
import json
import sys

from cloud import client


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value)} has no plain form")


def pages(service, call, key, **asked):
    """Every element of a list, by the paginator of AWS's own model where there is one."""
    if service.can_paginate(call):
        return [item for page in service.get_paginator(call).paginate(**asked) for item in page[key]]
    return getattr(service, call)(**asked)[key]


def chunks(items, size):
    return [items[at : at + size] for at in range(0, len(items), size)]


class Region:
    def __init__(self, endpoint, region):
        for service in ("ec2", "autoscaling", "ecs", "elbv2", "ssm", "cloudwatch"):
            setattr(self, service, client(service, endpoint, region))

    def instances(self):
        """Each instance with its reservation's id and owner beside its own fields."""
        return [
            instance | {"ReservationId": reservation["ReservationId"], "OwnerId": reservation["OwnerId"]}
            for reservation in pages(self.ec2, "describe_instances", "Reservations")
            for instance in reservation["Instances"]
        ]

    def statuses(self):
        return pages(self.ec2, "describe_instance_status", "InstanceStatuses", IncludeAllInstances=True)

    def templates(self):
        # moto cuts this list at fifteen unless a larger page is asked for, and gives no token.
        return self.ec2.describe_launch_templates(MaxResults=200)["LaunchTemplates"]

    def template_versions(self):
        return [
            version
            for template in self.templates()
            for version in self.ec2.describe_launch_template_versions(
                LaunchTemplateId=template["LaunchTemplateId"], MaxResults=200
            )["LaunchTemplateVersions"]
        ]

    def images(self):
        """Images that an instance or a template version names and that exist."""
        used = {i["ImageId"] for i in self.instances()}
        used |= {v["LaunchTemplateData"].get("ImageId", "") for v in self.template_versions()}
        return self.ec2.describe_images(Filters=[{"Name": "image-id", "Values": sorted(used)}])["Images"]

    def groups(self):
        return pages(self.autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups")

    def clusters(self):
        arns = pages(self.ecs, "list_clusters", "clusterArns")
        return self.ecs.describe_clusters(clusters=arns, include=["TAGS", "SETTINGS", "ATTACHMENTS"])["clusters"]

    def providers(self):
        names = sorted({name for cluster in self.clusters() for name in cluster.get("capacityProviders", [])})
        if not names:
            return []
        return self.ecs.describe_capacity_providers(capacityProviders=names)["capacityProviders"]

    def _of_clusters(self, listed, arns_key, describe, asked_key, key, size, **more):
        found = []
        for cluster in pages(self.ecs, "list_clusters", "clusterArns"):
            arns = pages(self.ecs, listed, arns_key, cluster=cluster)
            for chunk in chunks(arns, size):
                found += getattr(self.ecs, describe)(cluster=cluster, **{asked_key: chunk}, **more)[key]
        return found

    def services(self):
        return self._of_clusters("list_services", "serviceArns", "describe_services", "services", "services", 10, include=["TAGS"])

    def tasks(self):
        return self._of_clusters("list_tasks", "taskArns", "describe_tasks", "tasks", "tasks", 100, include=["TAGS"])

    def hosts(self):
        return self._of_clusters(
            "list_container_instances", "containerInstanceArns", "describe_container_instances", "containerInstances",
            "containerInstances", 100, include=["TAGS"],
        )

    def target_groups(self):
        return pages(self.elbv2, "describe_target_groups", "TargetGroups")

    def targets(self):
        """Each target with its group's ARN and name beside it."""
        return [
            health | {"TargetGroupArn": group["TargetGroupArn"], "TargetGroupName": group["TargetGroupName"]}
            for group in self.target_groups()
            for health in self.elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        ]

    def rules(self):
        """Each rule with its listener's port and its load balancer's name and ARN beside it."""
        return [
            rule
            | {
                "Port": listener.get("Port"),
                "LoadBalancerArn": balancer["LoadBalancerArn"],
                "LoadBalancerName": balancer["LoadBalancerName"],
            }
            for balancer in pages(self.elbv2, "describe_load_balancers", "LoadBalancers")
            for listener in pages(self.elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"])
            for rule in pages(self.elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
        ]

    def alarms(self):
        return pages(self.cloudwatch, "describe_alarms", "MetricAlarms")

    def parameters(self):
        return pages(self.ssm, "get_parameters_by_path", "Parameters", Path="/coredeck/", Recursive=True)


ALL = (
    "instances statuses templates template_versions images groups clusters providers services tasks hosts "
    "target_groups targets rules alarms parameters"
).split()

if __name__ == "__main__":
    here = Region(sys.argv[1], sys.argv[2])
    json.dump({kind: getattr(here, kind)() for kind in sys.argv[3:] or ALL}, sys.stdout, default=plain)
