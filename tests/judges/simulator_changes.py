"""Judges what the simulator changes: every call of boto3 that changes something, with strict.py attached, and
what comes of it as time passes.  The simulator must run fast (SPEED pretended seconds a second)."""
from living import *

# tags
legacy = group("legacy-cron")["Instances"]
one = legacy[0]["InstanceId"]
refused("DryRunOperation", lambda: ec2.create_tags(Resources=[one], Tags=[{"Key": "owner", "Value": "me"}], DryRun=True), 412)
check(not any(t["Key"] == "owner" for t in instance(one)["Tags"]), "a dry run changes nothing")
ec2.create_tags(Resources=[one], Tags=[{"Key": "owner", "Value": "me"}, {"Key": "Name", "Value": "x <&> \u202e é"}])
check({"Key": "Name", "Value": "x <&> \u202e é"} in instance(one)["Tags"], "a tag is written as it is")
ec2.delete_tags(Resources=[one], Tags=[{"Key": "owner"}])
check(not any(t["Key"] == "owner" for t in instance(one)["Tags"]), "a tag is deleted")
refused("InvalidParameterValue", lambda: ec2.create_tags(Resources=[one], Tags=[{"Key": "aws:x", "Value": "y"}]), 400)
refused("InvalidInstanceID.NotFound", lambda: ec2.create_tags(Resources=["i-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}]), 400)

# templates: a version over another, once for one token
template = group("dev-hosts")["LaunchTemplate"]
image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
ask = dict(LaunchTemplateId=template["LaunchTemplateId"], SourceVersion="3", VersionDescription="judged", ClientToken="judge-1", LaunchTemplateData={"ImageId": image})
made = ec2.create_launch_template_version(**ask)["LaunchTemplateVersion"]
again = ec2.create_launch_template_version(**ask)["LaunchTemplateVersion"]
check(made["VersionNumber"] == again["VersionNumber"] == 4, f"one version for one token: {made['VersionNumber']}, {again['VersionNumber']}")
check(made["LaunchTemplateData"]["InstanceType"] == "t3.small" and made["LaunchTemplateData"]["ImageId"] == image, "the source is inherited")
refused("IdempotentParameterMismatch", lambda: ec2.create_launch_template_version(**{**ask, "VersionDescription": "other"}), 400)
refused("InvalidLaunchTemplateId.VersionNotFound", lambda: ec2.create_launch_template_version(LaunchTemplateId=template["LaunchTemplateId"], SourceVersion="99", LaunchTemplateData={"ImageId": image}), 400)
check(ec2.modify_launch_template(LaunchTemplateId=template["LaunchTemplateId"], DefaultVersion="4")["LaunchTemplate"]["DefaultVersionNumber"] == 4, "the default moves")
gone = ec2.delete_launch_template_versions(LaunchTemplateId=template["LaunchTemplateId"], Versions=["1", "4", "77"])
check(len(gone["SuccessfullyDeletedLaunchTemplateVersions"]) == 1 and len(gone["UnsuccessfullyDeletedLaunchTemplateVersions"]) == 2, "versions are deleted each by itself")

# capacity
refused("ValidationError", lambda: asg.set_desired_capacity(AutoScalingGroupName="dev-hosts", DesiredCapacity=99), 400)
asg.set_desired_capacity(AutoScalingGroupName="dev-hosts", DesiredCapacity=14)
until("scale-out", lambda: sum(i["LifecycleState"] == "InService" for i in group("dev-hosts")["Instances"]) == 14, 600)
asg.update_auto_scaling_group(AutoScalingGroupName="dev-hosts", MinSize=2, MaxSize=16, DesiredCapacity=12)
until("scale-in", lambda: len(group("dev-hosts")["Instances"]) == 12, 600)
standby = group("dev-hosts")["Instances"][0]["InstanceId"]
answer = asg.enter_standby(AutoScalingGroupName="dev-hosts", InstanceIds=[standby], ShouldDecrementDesiredCapacity=True)
check(len(answer["Activities"]) == 1, "an activity for the standby")
check(group("dev-hosts")["DesiredCapacity"] == 11, "desired goes down with it")
refused("ValidationError", lambda: asg.enter_standby(AutoScalingGroupName="dev-hosts", InstanceIds=[standby], ShouldDecrementDesiredCapacity=True), 400)
asg.exit_standby(AutoScalingGroupName="dev-hosts", InstanceIds=[standby])
check(group("dev-hosts")["DesiredCapacity"] == 12, "and up again")
asg.set_instance_protection(AutoScalingGroupName="dev-hosts", InstanceIds=[standby], ProtectedFromScaleIn=True)
check(any(i["InstanceId"] == standby and i["ProtectedFromScaleIn"] for i in group("dev-hosts")["Instances"]), "protected")
asg.set_instance_protection(AutoScalingGroupName="dev-hosts", InstanceIds=[standby], ProtectedFromScaleIn=False)
ended = asg.terminate_instance_in_auto_scaling_group(InstanceId=standby, ShouldDecrementDesiredCapacity=False)
check(standby in ended["Activity"]["Description"], "the activity names the instance")
ec2.get_waiter("instance_terminated").wait(InstanceIds=[standby])
until("replacement", lambda: sum(i["LifecycleState"] == "InService" for i in group("dev-hosts")["Instances"]) == 12, 600)

# a refresh, to its end; then one that is cancelled, and one that is rolled back
preferences = {"MinHealthyPercentage": 75, "MaxHealthyPercentage": 125, "InstanceWarmup": 30, "SkipMatching": True}
wish = lambda version: {"LaunchTemplate": {"LaunchTemplateId": template["LaunchTemplateId"], "Version": version}}
asg.suspend_processes(AutoScalingGroupName="dev-hosts", ScalingProcesses=["InstanceRefresh"])
check(any(p["ProcessName"] == "InstanceRefresh" for p in group("dev-hosts")["SuspendedProcesses"]), "suspended")
asg.start_instance_refresh(AutoScalingGroupName="dev-hosts", DesiredConfiguration=wish("4"), Preferences=preferences)
refused("InstanceRefreshInProgress", lambda: asg.start_instance_refresh(AutoScalingGroupName="dev-hosts"), 400)
refused("ValidationError", lambda: asg.update_auto_scaling_group(AutoScalingGroupName="dev-hosts", LaunchTemplate=wish("3")["LaunchTemplate"]), 400)
asg.resume_processes(AutoScalingGroupName="dev-hosts", ScalingProcesses=["InstanceRefresh"])
least = []


def done():
    least.append(sum(i["LifecycleState"] == "InService" for i in group("dev-hosts")["Instances"]))
    return refresh("dev-hosts")["Status"] == "Successful"


until("the refresh", done, 7200)
check(min(least) >= 9, f"at least 75 % of 12 stay in service: {min(least)}")
check({i["LaunchTemplate"]["Version"] for i in group("dev-hosts")["Instances"]} == {"4"}, "every member is of the new version")
check(group("dev-hosts")["LaunchTemplate"]["Version"] == "4", "and so is the group")
asg.start_instance_refresh(AutoScalingGroupName="dev-hosts", DesiredConfiguration=wish("3"), Preferences=preferences)
asg.cancel_instance_refresh(AutoScalingGroupName="dev-hosts")
until("the cancellation", lambda: refresh("dev-hosts")["Status"] == "Cancelled", 1200)
refused("ActiveInstanceRefreshNotFound", lambda: asg.cancel_instance_refresh(AutoScalingGroupName="dev-hosts"), 400)
asg.start_instance_refresh(AutoScalingGroupName="dev-hosts", DesiredConfiguration=wish("3"), Preferences=preferences)
until("a first replacement", lambda: any(i["LaunchTemplate"]["Version"] == "3" for i in group("dev-hosts")["Instances"]), 1200)
asg.rollback_instance_refresh(AutoScalingGroupName="dev-hosts")
until("the rollback", lambda: refresh("dev-hosts")["Status"] == "RollbackSuccessful", 7200)
check({i["LaunchTemplate"]["Version"] for i in group("dev-hosts")["Instances"]} == {"4"}, "every member is of the old version again")

# ECS: drain, deploy, stop
until("the first deployment", lambda: len(service("auth-api")["deployments"]) == 1, 3600)
stuck = ecs.describe_tasks(cluster="api-prod", tasks=ecs.list_tasks(cluster="api-prod", serviceName="dashboard")["taskArns"])["tasks"][0]
hosts = [h for h in ecs.list_container_instances(cluster="api-prod")["containerInstanceArns"] if h != stuck["containerInstanceArn"]]
drained = ecs.update_container_instances_state(cluster="api-prod", containerInstances=hosts[:1], status="DRAINING")
check(drained["containerInstances"][0]["status"] == "DRAINING", "draining")
refused("InvalidParameterException", lambda: ecs.update_container_instances_state(cluster="api-prod", containerInstances=hosts[:1] * 11, status="DRAINING"), 400)
until("the drain", lambda: not ecs.list_tasks(cluster="api-prod", containerInstance=hosts[0])["taskArns"], 3600)
ecs.update_container_instances_state(cluster="api-prod", containerInstances=hosts[:1], status="ACTIVE")
check(service("auth-core")["runningCount"] >= 6, "the service kept its tasks")
task = ecs.list_tasks(cluster="api-prod", serviceName="auth-core")["taskArns"][0]
slatepay = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["prod-slatepay"]}])["Reservations"][0]["Instances"][0]["InstanceId"]
opened = client("ssm").start_session(Target=slatepay, Reason="judge")
check(opened["TokenValue"] and opened["StreamUrl"].startswith("ws") and opened["SessionId"], "a session is opened")
open_now = lambda: [one["SessionId"] for one in client("ssm").describe_sessions(State="Active")["Sessions"]]
check(open_now() == [opened["SessionId"]], "and is listed")
check(client("ssm").terminate_session(SessionId=opened["SessionId"])["SessionId"] == opened["SessionId"], "and ended")
check(open_now() == [], "and is listed no more")
refused("TargetNotConnected", lambda: client("ssm").start_session(Target="i-0123456789abcdef0"), 400)
core_task = ecs.list_tasks(cluster="api-prod", serviceName="auth-core")["taskArns"][0]
inside = ecs.execute_command(cluster="api-prod", task=core_task, interactive=True, command="/bin/sh")
check(inside["session"]["tokenValue"] and inside["taskArn"] == core_task, "a command in a task")
other = ecs.list_tasks(cluster="api-prod", serviceName="dashboard")["taskArns"][0]
refused("InvalidParameterException", lambda: ecs.execute_command(cluster="api-prod", task=other, interactive=True, command="/bin/sh"), 400)
check(ecs.stop_task(cluster="api-prod", task=task, reason="judge")["task"]["stoppedReason"] == "judge", "the reason is kept")
ecs.get_waiter("tasks_stopped").wait(cluster="api-prod", tasks=[task])
until("its replacement", lambda: service("auth-core")["runningCount"] == 6, 600)
ecs.update_service(cluster="api-prod", service="dashboard", deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 100})
until("the stuck service's deployment", lambda: len(service("dashboard")["deployments"]) == 1, 1200)
updated = ecs.update_service(cluster="api-prod", service="auth-core", desiredCount=8, forceNewDeployment=True)["service"]
check(updated["desiredCount"] == 8 and len(updated["deployments"]) == 2, "a deployment by force")
until("the deployment", lambda: service("auth-core")["deployments"][0]["rolloutState"] == "COMPLETED", 3600)
ecs.get_waiter("services_stable").wait(cluster="api-prod", services=["auth-core"])

# targets and rules
empty = next(t for t in elb.describe_target_groups()["TargetGroups"] if t["TargetGroupName"] == "core-meadowlark")["TargetGroupArn"]
health = lambda **k: [h["TargetHealth"]["State"] for h in elb.describe_target_health(TargetGroupArn=empty, **k)["TargetHealthDescriptions"]]
shared = group("shared-hosts")["Instances"][0]["InstanceId"]
elb.register_targets(TargetGroupArn=empty, Targets=[{"Id": shared}])
elb.get_waiter("target_in_service").wait(TargetGroupArn=empty, Targets=[{"Id": shared}])
elb.deregister_targets(TargetGroupArn=empty, Targets=[{"Id": shared}])
check(health() in (["draining"], []), "draining first")
until("the end of the drain", lambda: health() == [], 900)
check(health(Targets=[{"Id": shared}]) == ["unused"], "then unused")
refused("InvalidTarget", lambda: elb.register_targets(TargetGroupArn=empty, Targets=[{"Id": "i-0123456789abcdef0"}]), 400)
rule = next(r for b in elb.describe_load_balancers()["LoadBalancers"] for l in elb.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"])["Listeners"] for r in elb.describe_rules(ListenerArn=l["ListenerArn"])["Rules"] if any(a.get("TargetGroupArn") == empty for a in r["Actions"]))
other = next(t for t in elb.describe_target_groups()["TargetGroups"] if t["TargetGroupName"] == "shared-production")["TargetGroupArn"]
moved = elb.modify_rule(RuleArn=rule["RuleArn"], Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": other, "Weight": 10}, {"TargetGroupArn": empty, "Weight": 0}]}}])["Rules"][0]
check([g["Weight"] for g in moved["Actions"][0]["ForwardConfig"]["TargetGroups"]] == [10, 0], "weights are kept")
elb.delete_rule(RuleArn=rule["RuleArn"])
refused("RuleNotFound", lambda: elb.delete_rule(RuleArn=rule["RuleArn"]), 400)

# parameters
check(ssm.put_parameter(Name="/coredeck/demo/tenants/judge", Type="String", Value="{}")["Version"] == 1, "the first version")
refused("ParameterAlreadyExists", lambda: ssm.put_parameter(Name="/coredeck/demo/tenants/judge", Type="String", Value="{}"), 400)
check(ssm.put_parameter(Name="/coredeck/demo/tenants/judge", Value="[]", Overwrite=True)["Version"] == 2, "the second version")
ssm.delete_parameter(Name="/coredeck/demo/tenants/judge")
refused("ParameterNotFound", lambda: ssm.delete_parameter(Name="/coredeck/demo/tenants/judge"), 400)

# log groups
logs = client("logs")
logs.put_retention_policy(logGroupName="/ecs/auth-api", retentionInDays=30)
check(logs.describe_log_groups(logGroupNamePrefix="/ecs/auth-api")["logGroups"][0]["retentionInDays"] == 30, "retention")
refused("InvalidParameterException", lambda: logs.put_retention_policy(logGroupName="/ecs/auth-api", retentionInDays=33), 400)
logs.delete_retention_policy(logGroupName="/ecs/auth-api")
check("retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix="/ecs/auth-api")["logGroups"][0], "kept for ever again")

# instances
bastion = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["bastion"]}])["Reservations"][0]["Instances"][0]["InstanceId"]
stopping = ec2.stop_instances(InstanceIds=[bastion])["StoppingInstances"][0]
check(stopping["CurrentState"]["Name"] == "stopping" and stopping["PreviousState"]["Name"] == "running", "stopping")
ec2.get_waiter("instance_stopped").wait(InstanceIds=[bastion])
ec2.start_instances(InstanceIds=[bastion])
ec2.get_waiter("instance_running").wait(InstanceIds=[bastion])
ec2.get_waiter("instance_status_ok").wait(InstanceIds=[bastion])
ended = ec2.terminate_instances(InstanceIds=[bastion])["TerminatingInstances"][0]
check(ended["CurrentState"]["Name"] == "shutting-down", "shutting down")
refused("IncorrectInstanceState", lambda: ec2.start_instances(InstanceIds=[bastion]), 400)
import simulator_operations
import simulator_refreshes
import simulator_waits

# images: one of the account's own that goes with its snapshots, and one of somebody else
own = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
other = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
refused("AuthFailure", lambda: ec2.deregister_image(ImageId=other), 403)
refused("InvalidAMIID.NotFound", lambda: ec2.deregister_image(ImageId="ami-00000000000000000"), 400)
refused("DryRunOperation", lambda: ec2.deregister_image(ImageId=own, DryRun=True), 412)
gone = ec2.deregister_image(ImageId=own, DeleteAssociatedSnapshots=True)
check(gone["Return"] and gone["DeleteSnapshotResults"][0]["ReturnCode"] == "success", "the image goes with its snapshots")
check(not ec2.describe_images(Filters=[{"Name": "image-id", "Values": [own]}])["Images"], "the image is gone")
verdict()
