"""Judges what the simulator changes with the aws command: every operation that changes something, in the order in which
a person would do it, with the command's own waiters, which wait in pretended time (SPEED pretended seconds a second).
The commands run inside this process, ten times as fast as one process each; simulator_cli.py starts real ones."""
import os
import tempfile

import boto3
from commands import *
from pretended import happens


def until(what, happened, within=3600):
    """Waits until it happened, for at most so many pretended seconds."""
    check(happens(happened, within), f"{what} did not happen within {within} s")


# What is looked at again and again is looked at with boto3, which simulator.py judges.
groups = boto3.client("autoscaling")


def group(name):
    return groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]


def state(id):
    return aws("ec2 describe-instances --instance-ids", id)["Reservations"][0]["Instances"][0]["State"]["Name"]


# EC2: launched, stopped, started, rebooted, protected, tagged, ended
image = aws("ec2 describe-images --owners self --filters Name=name,Values=core-docker-2026.11.*")["Images"][0]["ImageId"]
run = f"ec2 run-instances --image-id {image} --instance-type t3.micro --count 2 --client-token cli-run"
refused("DryRunOperation", run + " --dry-run")
ids = [i["InstanceId"] for i in aws(run, "--tag-specifications", "ResourceType=instance,Tags=[{Key=Name,Value=by-command}]")["Instances"]]
check(len(ids) == 2, "two are launched")
aws("ec2 wait instance-running --instance-ids", *ids)
aws("ec2 wait instance-status-ok --instance-ids", *ids)
stopping = aws("ec2 stop-instances --instance-ids", ids[0])["StoppingInstances"][0]
check((stopping["PreviousState"]["Name"], stopping["CurrentState"]["Name"]) == ("running", "stopping"), f"stopping: {stopping}")
aws("ec2 wait instance-stopped --instance-ids", ids[0])
aws("ec2 start-instances --instance-ids", ids[0])
aws("ec2 wait instance-running --instance-ids", *ids)
aws("ec2 reboot-instances --instance-ids", *ids)
aws("ec2 create-tags --tags Key=owner,Value=me --resources", *ids)
tags = lambda: aws("ec2 describe-instances --filters Name=tag:owner,Values=me")["Reservations"]
check(sum(len(r["Instances"]) for r in tags()) == 2, "both are tagged")
aws("ec2 delete-tags --tags Key=owner --resources", *ids)
check(tags() == [], "and no more")
aws("ec2 modify-instance-attribute --disable-api-termination --instance-id", ids[0])
refused("OperationNotPermitted", "ec2 terminate-instances --instance-ids", *ids)
check(state(ids[1]) == "running", "the other one is in the same zone")
aws("ec2 modify-instance-attribute --no-disable-api-termination --instance-id", ids[0])
aws("ec2 terminate-instances --instance-ids", *ids)
aws("ec2 wait instance-terminated --instance-ids", *ids)

# templates
made = aws("ec2 create-launch-template --launch-template-name by-command --launch-template-data", json.dumps({"ImageId": image, "InstanceType": "t3.micro"}))["LaunchTemplate"]
template = made["LaunchTemplateId"]
second = aws("ec2 create-launch-template-version --source-version 1 --version-description second --launch-template-id", template, "--launch-template-data", json.dumps({"InstanceType": "t3.small"}))["LaunchTemplateVersion"]
check((second["VersionNumber"], second["LaunchTemplateData"]["ImageId"], second["LaunchTemplateData"]["InstanceType"]) == (2, image, "t3.small"), f"the second version: {second}")
check(aws("ec2 modify-launch-template --default-version 2 --launch-template-id", template)["LaunchTemplate"]["DefaultVersionNumber"] == 2, "the default moves")
check(len(aws("ec2 delete-launch-template-versions --versions 1 --launch-template-id", template)["SuccessfullyDeletedLaunchTemplateVersions"]) == 1, "the first is deleted")

# groups
zone = aws("ec2 describe-availability-zones")["AvailabilityZones"][0]["ZoneName"]
aws("autoscaling create-auto-scaling-group --auto-scaling-group-name by-command --min-size 0 --max-size 4 --desired-capacity 2 --availability-zones", zone,
    "--launch-template", f"LaunchTemplateId={template},Version=2", "--tags", "Key=Name,Value=by-command,PropagateAtLaunch=true")
refused("AlreadyExists", "autoscaling create-auto-scaling-group --auto-scaling-group-name by-command --min-size 0 --max-size 1 --launch-template LaunchTemplateName=by-command --availability-zones", zone)
serving = lambda: [i["InstanceId"] for i in group("by-command")["Instances"] if i["LifecycleState"] == "InService"]
until("two members", lambda: len(serving()) == 2)
named = "--auto-scaling-group-name by-command"
aws(f"autoscaling put-lifecycle-hook {named} --lifecycle-hook-name in --lifecycle-transition autoscaling:EC2_INSTANCE_LAUNCHING --heartbeat-timeout 7200 --default-result CONTINUE")
hook = aws(f"autoscaling describe-lifecycle-hooks {named}")["LifecycleHooks"][0]
check((hook["DefaultResult"], hook["HeartbeatTimeout"]) == ("CONTINUE", 7200), f"the hook: {hook}")
aws(f"autoscaling set-desired-capacity {named} --desired-capacity 3")
held = lambda: [i["InstanceId"] for i in group("by-command")["Instances"] if i["LifecycleState"] == "Pending:Wait"]
until("the hold", lambda: len(held()) == 1)
one = held()[0]
aws(f"autoscaling record-lifecycle-action-heartbeat {named} --lifecycle-hook-name in --instance-id", one)
aws(f"autoscaling complete-lifecycle-action {named} --lifecycle-hook-name in --lifecycle-action-result CONTINUE --instance-id", one)
until("three members", lambda: len(serving()) == 3)
aws(f"autoscaling delete-lifecycle-hook {named} --lifecycle-hook-name in")
protected = lambda: [i["InstanceId"] for i in group("by-command")["Instances"] if i["ProtectedFromScaleIn"]]
aws(f"autoscaling set-instance-protection {named} --protected-from-scale-in --instance-ids", one)
check(protected() == [one], "one is protected")
aws(f"autoscaling set-instance-protection {named} --no-protected-from-scale-in --instance-ids", one)
activities = aws(f"autoscaling enter-standby {named} --should-decrement-desired-capacity --instance-ids", one)["Activities"]
check(len(activities) == 1 and group("by-command")["DesiredCapacity"] == 2, "in standby")
aws(f"autoscaling exit-standby {named} --instance-ids", one)
until("its return", lambda: one in serving())
aws(f"autoscaling suspend-processes {named} --scaling-processes AZRebalance InstanceRefresh")
check({p["ProcessName"] for p in group("by-command")["SuspendedProcesses"]} == {"AZRebalance", "InstanceRefresh"}, "two are suspended")
aws(f"autoscaling resume-processes {named} --scaling-processes AZRebalance InstanceRefresh")
aws(f"autoscaling update-auto-scaling-group {named} --max-size 6")
check(group("by-command")["MaxSize"] == 6, "the maximum moves")
aws(f"autoscaling detach-instances {named} --should-decrement-desired-capacity --instance-ids", one)
until("its leaving", lambda: one not in str(group("by-command")["Instances"]))
ended = serving()[0]
aws("autoscaling terminate-instance-in-auto-scaling-group --no-should-decrement-desired-capacity --instance-id", ended)
until("its replacement", lambda: len(serving()) == 2 and ended not in serving())
wish = json.dumps({"LaunchTemplate": {"LaunchTemplateId": template, "Version": "2"}})
refresh = f"autoscaling start-instance-refresh {named} --desired-configuration {shlex.quote(wish)} --preferences"
found = lambda: groups.describe_instance_refreshes(AutoScalingGroupName="by-command")["InstanceRefreshes"][0]
aws(refresh, json.dumps({"MinHealthyPercentage": 50, "InstanceWarmup": 3600}))
refused("InstanceRefreshInProgress", f"autoscaling start-instance-refresh {named}")
aws(f"autoscaling cancel-instance-refresh {named} --no-wait-for-transitioning-instances")
until("the cancellation", lambda: found()["Status"] == "Cancelled")
refused("ActiveInstanceRefreshNotFound", f"autoscaling cancel-instance-refresh {named}")
aws(refresh, json.dumps({"MinHealthyPercentage": 50, "InstanceWarmup": 600}))
aws(f"autoscaling rollback-instance-refresh {named}")
until("the rollback", lambda: found()["Status"] == "RollbackSuccessful", 14400)
refused("ResourceInUse", f"autoscaling delete-auto-scaling-group {named}")
aws(f"autoscaling delete-auto-scaling-group {named} --force-delete")
until("the end of the group", lambda: not groups.describe_auto_scaling_groups(AutoScalingGroupNames=["by-command"])["AutoScalingGroups"])
aws("ec2 delete-launch-template --launch-template-id", template)

# ECS
container = [{"name": "judged", "image": "judged:1", "cpu": 32, "memory": 64, "essential": True}]
platform = "--runtime-platform cpuArchitecture=ARM64,operatingSystemFamily=LINUX"
definition = aws(f"ecs register-task-definition --family by-command {platform} --container-definitions", json.dumps(container))["taskDefinition"]
check(definition["revision"] == 1, "the first revision")
home = "--cluster workers-prod"
aws(f"ecs create-service {home} --service-name by-command --task-definition by-command --desired-count 2")
aws(f"ecs wait services-stable {home} --services by-command")
tasks = aws(f"ecs list-tasks {home} --service-name by-command")["taskArns"]
check(len(tasks) == 2, f"tasks: {tasks}")
kept = aws(f"ecs update-task-protection {home} --protection-enabled --expires-in-minutes 60 --tasks", *tasks)
check(len(kept["protectedTasks"]) == 2 and not kept["failures"], f"protected: {kept}")
check(all(t["protectionEnabled"] for t in aws(f"ecs get-task-protection {home} --tasks", *tasks)["protectedTasks"]), "protection is read")
aws(f"ecs update-task-protection {home} --no-protection-enabled --tasks", *tasks)
check(aws(f"ecs update-service {home} --service by-command --desired-count 3 --force-new-deployment")["service"]["desiredCount"] == 3, "one more")
aws(f"ecs wait services-stable {home} --services by-command")
alone = [t["taskArn"] for t in aws(f"ecs run-task {home} --task-definition by-command:1 --count 2 --started-by command")["tasks"]]
aws(f"ecs wait tasks-running {home} --tasks", *alone)
aws(f"ecs stop-task {home} --reason judged --task", alone[0])
aws(f"ecs wait tasks-stopped {home} --tasks", alone[0])
host = aws(f"ecs describe-tasks {home} --tasks", alone[1])["tasks"][0]["containerInstanceArn"]
drained = aws(f"ecs update-container-instances-state {home} --status DRAINING --container-instances", host)
check(drained["containerInstances"][0]["status"] == "DRAINING" and not drained["failures"], f"draining: {drained}")
aws(f"ecs update-container-instances-state {home} --status ACTIVE --container-instances", host)
refused("InvalidParameterException", f"ecs deregister-container-instance {home} --container-instance", host)
check(aws(f"ecs deregister-container-instance {home} --force --container-instance", host)["containerInstance"]["status"] == "INACTIVE", "deregistered")
aws(f"ecs delete-service {home} --force --service by-command")
aws(f"ecs wait services-inactive {home} --services by-command")
check(aws("ecs deregister-task-definition --task-definition by-command:1")["taskDefinition"]["status"] == "INACTIVE", "the definition is inactive")
provider = lambda draining: aws("ecs update-capacity-provider --name workers-m7g --auto-scaling-group-provider", f"managedDraining={draining}")["capacityProvider"]
check(provider("DISABLED")["autoScalingGroupProvider"]["managedDraining"] == "DISABLED", "managed draining is off")
provider("ENABLED")
aws(f"ecs put-cluster-capacity-providers {home} --capacity-providers workers-m7g workers-r7g --default-capacity-provider-strategy capacityProvider=workers-m7g,weight=1,base=0")

# load balancers
arn = aws("elbv2 create-target-group --name by-command --protocol HTTP --port 3567 --health-check-path /hello --health-check-interval-seconds 10")["TargetGroups"][0]["TargetGroupArn"]
delay = aws("elbv2 modify-target-group-attributes --attributes Key=deregistration_delay.timeout_seconds,Value=30 --target-group-arn", arn)["Attributes"]
check({"Key": "deregistration_delay.timeout_seconds", "Value": "30"} in delay, f"the delay: {delay}")
balancer = next(b for b in aws("elbv2 describe-load-balancers")["LoadBalancers"])["LoadBalancerArn"]
listener = next(l for l in aws("elbv2 describe-listeners --load-balancer-arn", balancer)["Listeners"] if l["Port"] == 443)["ListenerArn"]
rule = aws("elbv2 create-rule --priority 42000 --conditions Field=host-header,Values=by-command.example.com --actions", f"Type=forward,TargetGroupArn={arn}", "--listener-arn", listener)["Rules"][0]["RuleArn"]
refused("PriorityInUse", "elbv2 create-rule --priority 42000 --conditions Field=host-header,Values=x.example.com --actions", f"Type=forward,TargetGroupArn={arn}", "--listener-arn", listener)
refused("ResourceInUse", "elbv2 delete-target-group --target-group-arn", arn)
check(aws("elbv2 set-rule-priorities --rule-priorities", f"RuleArn={rule},Priority=43000")["Rules"][0]["Priority"] == "43000", "another priority")
check(aws("elbv2 modify-rule --conditions Field=path-pattern,Values=/by/* --rule-arn", rule)["Rules"][0]["Conditions"][0]["Field"] == "path-pattern", "another condition")
member = group("shared-hosts")["Instances"][0]["InstanceId"]
target = f"Id={member},Port=3567"
aws("elbv2 register-targets --target-group-arn", arn, "--targets", target)
aws("elbv2 wait target-in-service --target-group-arn", arn, "--targets", target)
aws("elbv2 deregister-targets --target-group-arn", arn, "--targets", target)
aws("elbv2 wait target-deregistered --target-group-arn", arn, "--targets", target)
aws("elbv2 delete-rule --rule-arn", rule)
aws("elbv2 delete-target-group --target-group-arn", arn)

# parameters, documents, commands
name = "/coredeck/demo/by-command"
check(aws("ssm put-parameter --type String --value one --name", name)["Version"] == 1, "the first version")
refused("ParameterAlreadyExists", "ssm put-parameter --type String --value two --name", name)
check(aws("ssm put-parameter --overwrite --value two --name", name)["Version"] == 2, "the second version")
check([p["Value"] for p in aws("ssm get-parameter-history --name", name)["Parameters"]] == ["one", "two"], "both are kept")
aws("ssm delete-parameter --name", name)
check(aws("ssm delete-parameters --names", name)["InvalidParameters"] == [name], "it is gone")
lister = lambda text: json.dumps({"schemaVersion": "2.2", "description": text, "mainSteps": [{"action": "aws:runShellScript", "name": "list", "inputs": {"runCommand": ["docker ps --format '{{.Names}}'"]}}]})
aws("ssm create-document --name by-command --document-type Command --document-format JSON --content", lister("one"))
check(aws("ssm update-document --name by-command --document-version 1 --content", lister("two"))["DocumentDescription"]["LatestVersion"] == "2", "the second version")
check(aws("ssm update-document-default-version --name by-command --document-version 2")["Description"]["DefaultVersion"] == "2", "the default moves")
check(json.loads(aws("ssm get-document --name by-command")["Content"])["description"] == "two", "what is run")
sent = aws("ssm send-command --document-name by-command --comment by-command --instance-ids", member)["Command"]["CommandId"]
until("the command is known", lambda: aws("ssm list-commands --command-id", sent)["Commands"], 60)
aws("ssm wait command-executed --command-id", sent, "--instance-id", member)
said = aws("ssm get-command-invocation --command-id", sent, "--instance-id", member)
check(said["Status"] == "Success" and "supertokens" in said["StandardOutputContent"], f"what it said: {said}")
check(len(aws("ssm list-command-invocations --details --command-id", sent)["CommandInvocations"][0]["CommandPlugins"]) == 1, "its one step")
host_of_slatepay = aws("ec2 describe-instances --filters Name=tag:Name,Values=prod-slatepay")["Reservations"][0]["Instances"][0]["InstanceId"]
silent = aws("ec2 describe-instances --filters Name=tag:Name,Values=prod-thistle")["Reservations"][0]["Instances"][0]["InstanceId"]
never = aws("ssm send-command --document-name AWS-RunShellScript --timeout-seconds 2592000 --parameters commands=id --instance-ids", silent)["Command"]["CommandId"]
aws("ssm cancel-command --command-id", never)
until("the cancellation", lambda: [c["Status"] for c in aws("ssm list-commands --command-id", never)["Commands"]] == ["Cancelled"], 60)
aws("ssm delete-document --name by-command")

# Sessions: the command hands each to the plugin, which is one that only writes down what it was given
with tempfile.TemporaryDirectory() as folder:
    plugin, kept = os.path.join(folder, "session-manager-plugin"), os.path.join(folder, "kept")
    with open(plugin, "w") as script:
        script.write('#!/bin/sh\n[ "$1" = --version ] && { echo 1.2.650.0; exit 0; }\n'
                     f'printf "%s %s\\n" "$AWS_SSM_START_SESSION_RESPONSE" "$*" >> {kept}\n')
    os.chmod(plugin, 0o755)
    os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]
    ran(["ssm", "start-session", "--target", host_of_slatepay])
    core_task = aws("ecs list-tasks --cluster api-prod --service-name auth-core")["taskArns"][0]
    ran(["ecs", "execute-command", "--cluster", "api-prod", "--task", core_task, "--interactive", "--command", "/bin/sh"])
    given = open(kept).read()
    check(given.count("TokenValue") == 1 and '"tokenValue"' in given and "StartSession" in given, f"the plugin was given: {given}")
ended = aws("ssm terminate-session --session-id oncall-0")
check(ended["SessionId"] == "oncall-0", "a session is ended")
refused("TargetNotConnected", "ssm start-session --target", silent)

# log groups
aws("logs put-retention-policy --log-group-name /ecs/auth-api --retention-in-days 30")
kept = lambda: aws("logs describe-log-groups --log-group-name-prefix /ecs/auth-api")["logGroups"][0].get("retentionInDays")
check(kept() == 30, "for a month")
aws("logs delete-retention-policy --log-group-name /ecs/auth-api")
check(kept() is None, "for ever")

# images
own = aws("ec2 describe-images --owners self")["Images"][0]["ImageId"]
refused("DryRunOperation", "ec2 deregister-image --dry-run --image-id", own)
aws("ec2 deregister-image --image-id", own)
check(not aws("ec2 describe-images --filters Name=image-id,Values=" + own)["Images"], "the image is gone")
verdict()
