"""Judges what refreshes of groups need: images that AWS publishes, versions and dry runs, mixed policies with images,
weights and needs, and what a refresh is refused for; simulator_changes.py runs it before its verdict."""
from living import *

# images that AWS publishes, with their versions
name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"
newest = ssm.get_parameter(Name=name)["Parameter"]
image = json.loads(newest["Value"])["image_id"]
check(ssm.get_parameter(Name=f"{name}/image_id")["Parameter"]["Value"] == image, "the id alone")
older = ssm.get_parameter(Name=f"{name}:{newest['Version'] - 1}")["Parameter"]
check(older["Value"] != newest["Value"] and older["Version"] == newest["Version"] - 1, "an older version by its number")
refused("ParameterVersionNotFound", lambda: ssm.get_parameter(Name=f"{name}:{newest['Version'] + 1}"), 400)
refused("ParameterNotFound", lambda: ssm.get_parameter(Name="/aws/service/ecs/optimized-ami/amazon-linux-1999/recommended"), 400)
below = [p["Name"] for page in ssm.get_paginator("get_parameters_by_path").paginate(Path="/aws/service/bottlerocket", Recursive=True) for p in page["Parameters"]]
check("/aws/service/bottlerocket/aws-ecs-2/arm64/latest/image_id" in below, f"Bottlerocket: {below}")
found = ec2.describe_images(ImageIds=[image])["Images"][0]
check((found["ImageOwnerAlias"], found["Architecture"], found["State"]) == ("amazon", "x86_64", "available"), f"what is published is there: {found}")
arm = ssm.get_parameter(Name="/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id")["Parameter"]["Value"]

# a template that follows an alias, one that fits and one that does not, each tried by a dry run
alias = f"resolve:ssm:{name}/image_id"
made = ec2.create_launch_template(LaunchTemplateName="renewed", LaunchTemplateData={"ImageId": alias, "InstanceType": "t3.micro"})["LaunchTemplate"]
template = made["LaunchTemplateId"]
said = lambda **k: ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["1"], **k)["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"]
check((said(), said(ResolveAlias=True)) == (alias, image), "an alias and what it means")
for number, other in (("2", image), ("3", arm)):
    ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"ImageId": other})
    check(ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[number])["LaunchTemplateVersions"][0]["LaunchTemplateData"]["InstanceType"] == "t3.micro", "inherited")
dry = lambda version: ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateId": template, "Version": version}, DryRun=True)
refused("DryRunOperation", lambda: dry("1"), 412)
refused("DryRunOperation", lambda: dry("2"), 412)
refused("InvalidParameterValue", lambda: dry("3"), 400)
ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["3"])
again = ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="2", LaunchTemplateData={"InstanceType": "t3.small"})["LaunchTemplateVersion"]
check(again["VersionNumber"] == 4, f"a number is never given twice: {again['VersionNumber']}")

# groups with weights, images of their own, needs, and a maintenance policy
zones = [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]][:2]
spec = lambda version: {"LaunchTemplateId": template, "Version": version}
make = lambda of, policy, **k: asg.create_auto_scaling_group(AutoScalingGroupName=of, MinSize=0, MaxSize=8, DesiredCapacity=4, AvailabilityZones=zones, MixedInstancesPolicy={"LaunchTemplate": policy}, **k)
heavy = {"LaunchTemplateSpecification": spec("2"), "Overrides": [{"InstanceType": "m5.large", "WeightedCapacity": "2", "ImageId": image}, {"InstanceType": "m5a.large", "WeightedCapacity": "2", "ImageId": image}]}
make("weighed", heavy, InstanceMaintenancePolicy={"MinHealthyPercentage": 50, "MaxHealthyPercentage": 150}, TerminationPolicies=["OldestInstance"])
kept = group("weighed")
check(kept["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == heavy["Overrides"], f"overrides are kept: {kept['MixedInstancesPolicy']}")
check(kept["InstanceMaintenancePolicy"] == {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 150} and kept["TerminationPolicies"] == ["OldestInstance"], "and so are the policies")
serving = lambda of: [i for i in group(of)["Instances"] if i["LifecycleState"] == "InService"]
until("two that weigh two each", lambda: [i["WeightedCapacity"] for i in serving("weighed")] == ["2", "2"], 600)
needs = {"LaunchTemplateSpecification": spec("2"), "Overrides": [{"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 2048, "Max": 8192}}}]}
make("chosen", needs)
check(group("chosen")["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == needs["Overrides"], "needs are kept")
until("four of AWS's choice", lambda: len(serving("chosen")) == 4, 600)

# what a refresh is refused for
start = lambda of, **k: asg.start_instance_refresh(AutoScalingGroupName=of, **k)
wish = lambda version: {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": spec(version)}}}
refused("ValidationError", lambda: start("chosen", DesiredConfiguration=wish("4")), 400)
refused("ValidationError", lambda: start("chosen", Preferences={"SkipMatching": True}), 400)
refused("ValidationError", lambda: start("weighed", Strategy="ReplaceRootVolume"), 400)
refused("ValidationError", lambda: start("weighed", Preferences={"AutoRollback": True}), 400)
asg.update_auto_scaling_group(AutoScalingGroupName="weighed", MixedInstancesPolicy={"LaunchTemplate": {"LaunchTemplateSpecification": spec("$Latest")}})
refused("ValidationError", lambda: start("weighed", DesiredConfiguration=wish("4"), Preferences={"AutoRollback": True}), 400)
start("weighed", DesiredConfiguration=wish("4"))
refused("IrreversibleInstanceRefresh", lambda: asg.rollback_instance_refresh(AutoScalingGroupName="weighed"), 400)
now = refresh("weighed")
check((now["Preferences"]["MinHealthyPercentage"], now["Preferences"]["MaxHealthyPercentage"]) == (50, 150), f"the group's own policy: {now}")
asg.cancel_instance_refresh(AutoScalingGroupName="weighed", WaitForTransitioningInstances=False)
until("the cancellation", lambda: refresh("weighed")["Status"] == "Cancelled", 300)

# one that gives instances another root volume, where they stand
asg.update_auto_scaling_group(AutoScalingGroupName="weighed", MixedInstancesPolicy={"LaunchTemplate": {"LaunchTemplateSpecification": spec("2"), "Overrides": heavy["Overrides"]}})
until("two of version 2", lambda: len(serving("weighed")) == 2, 900)
if {i["LaunchTemplate"]["Version"] for i in group("weighed")["Instances"]} == {"2"}:
    stood = {i["InstanceId"] for i in group("weighed")["Instances"]}
    whole = {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": spec("4"), "Overrides": heavy["Overrides"]}}}
    start("weighed", Strategy="ReplaceRootVolume", DesiredConfiguration=whole, Preferences={"InstanceWarmup": 30})
    until("the new roots", lambda: refresh("weighed")["Status"] == "Successful", 3600)
    check({i["InstanceId"] for i in group("weighed")["Instances"]} == stood, "they kept their places")
for of in ("weighed", "chosen"):
    asg.delete_auto_scaling_group(AutoScalingGroupName=of, ForceDelete=True)
