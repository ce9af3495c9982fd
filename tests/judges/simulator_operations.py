"""Judges the rest of what the simulator changes; simulator_changes.py runs it before its verdict."""
import hashlib
import json
import pathlib

from living import *

# instances of one's own
image = ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": ["core-docker-2026.11.*"]}])["Images"][0]["ImageId"]
ask = dict(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=2, ClientToken="judge-run",
           TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "judged"}]}])
refused("DryRunOperation", lambda: ec2.run_instances(**ask, DryRun=True), 412)
ids = [i["InstanceId"] for i in ec2.run_instances(**ask)["Instances"]]
again = [i["InstanceId"] for i in ec2.run_instances(**ask)["Instances"]]
check(ids == again and len(ids) == 2, "one launch for one token")
refused("IdempotentParameterMismatch", lambda: ec2.run_instances(**{**ask, "MaxCount": 3}), 400)
refused("InvalidAMIID.NotFound", lambda: ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1), 400)
refused("InvalidParameterValue", lambda: ec2.run_instances(ImageId=image, InstanceType="m7g.large", MinCount=1, MaxCount=1), 400)
ec2.get_waiter("instance_running").wait(InstanceIds=ids)
check(instance(ids[0])["State"]["Name"] == "running" and {"Key": "Name", "Value": "judged"} in instance(ids[0])["Tags"], "running, with its tags")
ec2.reboot_instances(InstanceIds=ids)
ec2.modify_instance_attribute(InstanceId=ids[0], DisableApiTermination={"Value": True})
check(ec2.describe_instance_attribute(InstanceId=ids[0], Attribute="disableApiTermination")["DisableApiTermination"]["Value"], "protected")
refused("OperationNotPermitted", lambda: ec2.terminate_instances(InstanceIds=ids), 400)
ec2.modify_instance_attribute(InstanceId=ids[0], DisableApiTermination={"Value": False})
ec2.terminate_instances(InstanceIds=ids)
ec2.get_waiter("instance_terminated").wait(InstanceIds=ids)

# a template and a group of one's own, with hooks
made = ec2.create_launch_template(LaunchTemplateName="judged", ClientToken="judge-lt", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})["LaunchTemplate"]
check(made["LatestVersionNumber"] == 1, "the first version")
refused("InvalidLaunchTemplateName.AlreadyExistsException", lambda: ec2.create_launch_template(LaunchTemplateName="judged", LaunchTemplateData={"ImageId": image}), 400)
zones = [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]][:2]
asg.create_auto_scaling_group(AutoScalingGroupName="judged", MinSize=0, MaxSize=4, DesiredCapacity=1, AvailabilityZones=zones,
                              LaunchTemplate={"LaunchTemplateId": made["LaunchTemplateId"], "Version": "1"},
                              Tags=[{"Key": "Name", "Value": "judged", "PropagateAtLaunch": True}])
refused("AlreadyExists", lambda: asg.create_auto_scaling_group(AutoScalingGroupName="judged", MinSize=0, MaxSize=1, AvailabilityZones=zones, LaunchTemplate={"LaunchTemplateName": "judged"}), 400)
serving = lambda: [i["InstanceId"] for i in group("judged")["Instances"] if i["LifecycleState"] == "InService"]
until("the first member", lambda: len(serving()) == 1, 300)
refused("ValidationError", lambda: asg.put_lifecycle_hook(AutoScalingGroupName="judged", LifecycleHookName="in", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=10), 400)
asg.put_lifecycle_hook(AutoScalingGroupName="judged", LifecycleHookName="in", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=7200)
hook = asg.describe_lifecycle_hooks(AutoScalingGroupName="judged")["LifecycleHooks"][0]
check((hook["DefaultResult"], hook["GlobalTimeout"]) == ("ABANDON", 172800), f"what a hook is by itself: {hook}")
asg.set_desired_capacity(AutoScalingGroupName="judged", DesiredCapacity=2)
held = lambda: [i["InstanceId"] for i in group("judged")["Instances"] if i["LifecycleState"] == "Pending:Wait"]
until("the hold", lambda: len(held()) == 1, 300)
one = held()[0]
asg.record_lifecycle_action_heartbeat(AutoScalingGroupName="judged", LifecycleHookName="in", InstanceId=one)
asg.complete_lifecycle_action(AutoScalingGroupName="judged", LifecycleHookName="in", LifecycleActionResult="CONTINUE", InstanceId=one)
refused("ValidationError", lambda: asg.complete_lifecycle_action(AutoScalingGroupName="judged", LifecycleHookName="in", LifecycleActionResult="CONTINUE", InstanceId=one), 400)
until("the second member", lambda: len(serving()) == 2, 300)
asg.delete_lifecycle_hook(AutoScalingGroupName="judged", LifecycleHookName="in")
detached = asg.detach_instances(AutoScalingGroupName="judged", InstanceIds=[one], ShouldDecrementDesiredCapacity=True)
check(len(detached["Activities"]) == 1, "an activity for the detached one")
until("the detaching", lambda: one not in str(group("judged")["Instances"]), 300)
check(instance(one)["State"]["Name"] == "running", "it goes on by itself")
refused("ResourceInUse", lambda: asg.delete_auto_scaling_group(AutoScalingGroupName="judged"), 400)
asg.delete_auto_scaling_group(AutoScalingGroupName="judged", ForceDelete=True)
until("the end of the group", lambda: not asg.describe_auto_scaling_groups(AutoScalingGroupNames=["judged"])["AutoScalingGroups"], 600)
ec2.delete_launch_template(LaunchTemplateId=made["LaunchTemplateId"])
ec2.terminate_instances(InstanceIds=[one])

# ECS: a service of one's own, tasks of nobody's
container = {"name": "judged", "image": "judged:1", "cpu": 32, "memory": 64, "essential": True}
definition = lambda image: ecs.register_task_definition(family="judged", containerDefinitions=[{**container, "image": image}], runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"})["taskDefinition"]
first = definition("judged:1")
check(first["revision"] == 1 and first["status"] == "ACTIVE", "the first revision")
ask = dict(cluster="workers-prod", serviceName="judged", taskDefinition="judged", desiredCount=3, clientToken="judge-svc",
           deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 200, "deploymentCircuitBreaker": {"enable": True, "rollback": True}})
made = ecs.create_service(**ask)["service"]
check(made["serviceArn"] == ecs.create_service(**ask)["service"]["serviceArn"], "one service for one token")
refused("InvalidParameterException", lambda: ecs.create_service(**{**ask, "clientToken": "other"}), 400)
refused("InvalidParameterException", lambda: ecs.update_service(cluster="workers-prod", service="judged", deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 100}), 400)
ecs.get_waiter("services_stable").wait(cluster="workers-prod", services=["judged"])
# A breaker goes back to what has been completed, which is later than stable.
until("the first deployment", lambda: service("judged", "workers-prod")["deployments"][0]["rolloutState"] == "COMPLETED", 600)
tasks = ecs.list_tasks(cluster="workers-prod", serviceName="judged")["taskArns"]
check(len(tasks) == 3, "three tasks")
kept = ecs.update_task_protection(cluster="workers-prod", tasks=tasks[:1] + ["no-such-task"], protectionEnabled=True, expiresInMinutes=2880)
check(kept["protectedTasks"][0]["protectionEnabled"] and kept["failures"][0]["reason"] == "MISSING", f"protection: {kept}")
check(ecs.get_task_protection(cluster="workers-prod", tasks=tasks[:1])["protectedTasks"][0]["expirationDate"], "until when")
ecs.update_task_protection(cluster="workers-prod", tasks=tasks[:1], protectionEnabled=False)
definition("judged:crashes")
ecs.update_service(cluster="workers-prod", service="judged", taskDefinition="judged:2")
until("the breaker", lambda: service("judged", "workers-prod")["taskDefinition"].endswith("judged:1"), 3600)
ecs.get_waiter("services_stable").wait(cluster="workers-prod", services=["judged"])
ran = ecs.run_task(cluster="workers-prod", taskDefinition="judged:1", count=2, startedBy="judge", group="judged")
check(len(ran["tasks"]) == 2 and ran["tasks"][0]["group"] == "judged" and not ran["failures"], "two tasks of nobody's")
alone = [t["taskArn"] for t in ran["tasks"]]
ecs.get_waiter("tasks_running").wait(cluster="workers-prod", tasks=alone)
big = ecs.register_task_definition(family="big", containerDefinitions=[{**container, "memory": 200000}], runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"})
check(ecs.run_task(cluster="workers-prod", taskDefinition="big")["failures"][0]["reason"] == "RESOURCE:MEMORY", "a task that fits nowhere")
ecs.stop_task(cluster="workers-prod", task=alone[0])
ecs.get_waiter("tasks_stopped").wait(cluster="workers-prod", tasks=alone[:1])
ecs.deregister_task_definition(taskDefinition="big:1")
refused("ClientException", lambda: ecs.run_task(cluster="workers-prod", taskDefinition="big:1"), 400)
refused("InvalidParameterException", lambda: ecs.delete_service(cluster="workers-prod", service="judged"), 400)
ecs.delete_service(cluster="workers-prod", service="judged", force=True)
ecs.get_waiter("services_inactive").wait(cluster="workers-prod", services=["judged"])
host = ecs.describe_tasks(cluster="workers-prod", tasks=alone[1:])["tasks"][0]["containerInstanceArn"]
refused("InvalidParameterException", lambda: ecs.deregister_container_instance(cluster="workers-prod", containerInstance=host), 400)
check(ecs.deregister_container_instance(cluster="workers-prod", containerInstance=host, force=True)["containerInstance"]["status"] == "INACTIVE", "deregistered")
off = ecs.update_capacity_provider(name="workers-m7g", autoScalingGroupProvider={"managedDraining": "DISABLED"})["capacityProvider"]
check(off["autoScalingGroupProvider"]["managedDraining"] == "DISABLED", "managed draining is off")
check(not asg.describe_lifecycle_hooks(AutoScalingGroupName="workers-m7g")["LifecycleHooks"], "and its hook is gone")
ecs.update_capacity_provider(name="workers-m7g", autoScalingGroupProvider={"managedDraining": "ENABLED"})
strategy = [{"capacityProvider": "workers-m7g", "weight": 1, "base": 0}]
put = ecs.put_cluster_capacity_providers(cluster="workers-prod", capacityProviders=["workers-m7g", "workers-r7g"], defaultCapacityProviderStrategy=strategy)["cluster"]
check(put["defaultCapacityProviderStrategy"] == strategy, "the strategy is kept")
refused("ResourceInUseException", lambda: ecs.put_cluster_capacity_providers(cluster="workers-prod", capacityProviders=["workers-m7g"], defaultCapacityProviderStrategy=[]), 400)

# load balancers: a group, its delay, rules and their order
target_group = dict(Name="judged", Protocol="HTTP", Port=3567, HealthCheckPath="/hello", HealthCheckIntervalSeconds=10)
made = elb.create_target_group(**target_group)["TargetGroups"][0]
arn = made["TargetGroupArn"]
check(elb.create_target_group(**target_group)["TargetGroups"][0]["TargetGroupArn"] == arn, "the same again is the same")
refused("DuplicateTargetGroupName", lambda: elb.create_target_group(**{**target_group, "Port": 80}), 400)
set_to = elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "45"}])["Attributes"]
check({"Key": "deregistration_delay.timeout_seconds", "Value": "45"} in set_to, "the delay is set")
refused("ValidationError", lambda: elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "3601"}]), 400)
listener = next(l for b in elb.describe_load_balancers(Names=["cores-public"])["LoadBalancers"] for l in elb.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"])["Listeners"] if l["Port"] == 443)["ListenerArn"]
rule = dict(ListenerArn=listener, Priority=40000, Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["judged.example.com"]}}], Actions=[{"Type": "forward", "TargetGroupArn": arn}])
new = elb.create_rule(**rule)["Rules"][0]
refused("PriorityInUse", lambda: elb.create_rule(**rule), 400)
refused("ResourceInUse", lambda: elb.delete_target_group(TargetGroupArn=arn), 400)
moved = elb.set_rule_priorities(RulePriorities=[{"RuleArn": new["RuleArn"], "Priority": 41000}])["Rules"][0]
check(moved["Priority"] == "41000", "the priority is set")
changed = elb.modify_rule(RuleArn=new["RuleArn"], Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/judged/*"]}}])["Rules"][0]
check([c["Field"] for c in changed["Conditions"]] == ["path-pattern"], "conditions are replaced")
member = group("shared-hosts")["Instances"][0]["InstanceId"]
target = [{"Id": member, "Port": 3567}]
elb.register_targets(TargetGroupArn=arn, Targets=target)
elb.get_waiter("target_in_service").wait(TargetGroupArn=arn, Targets=target)
elb.deregister_targets(TargetGroupArn=arn, Targets=target)
elb.get_waiter("target_deregistered").wait(TargetGroupArn=arn, Targets=target)
elb.deregister_targets(TargetGroupArn=arn, Targets=target)
elb.delete_rule(RuleArn=new["RuleArn"])
elb.delete_target_group(TargetGroupArn=arn)
elb.delete_target_group(TargetGroupArn=arn)

# parameters: versions, secrets, several at once
name = "/coredeck/demo/secrets/judged"
ssm.put_parameter(Name=name, Type="SecureString", Value="one")
ssm.put_parameter(Name=name, Type="SecureString", Value="two", Overwrite=True)
check(ssm.get_parameter(Name=name + ":1", WithDecryption=True)["Parameter"]["Value"] == "one", "an older version")
check(ssm.get_parameter(Name=name)["Parameter"]["Value"] != "two", "a secret is not shown")
refused("ParameterVersionNotFound", lambda: ssm.get_parameter(Name=name + ":9"), 400)
history = ssm.get_parameter_history(Name=name, WithDecryption=True)["Parameters"]
check([(v["Version"], v["Value"]) for v in history] == [(1, "one"), (2, "two")], f"history: {history}")
refused("ValidationException", lambda: ssm.put_parameter(Name="no/slash", Type="String", Value="x"), 400)
both = ssm.delete_parameters(Names=[name, "/no/such"])
check((both["DeletedParameters"], both["InvalidParameters"]) == ([name], ["/no/such"]), f"several at once: {both}")

# documents and commands
content = {"schemaVersion": "2.2", "description": "judged", "parameters": {"id": {"type": "String", "allowedPattern": "^[0-9a-f]{12,64}$"}},
           "mainSteps": [{"action": "aws:runShellScript", "name": "stop", "inputs": {"runCommand": ["docker stop -t 20 {{ id }}"]}}]}
lister = {"schemaVersion": "2.2", "mainSteps": [{"action": "aws:runShellScript", "name": "list", "inputs": {"runCommand": ["docker ps --format '{{.ID}} {{.Names}}'"]}}]}
made = ssm.create_document(Name="judged-stop", Content=json.dumps(content), DocumentType="Command", DocumentFormat="JSON")["DocumentDescription"]
refused("DocumentAlreadyExists", lambda: ssm.create_document(Name="judged-stop", Content=json.dumps(content), DocumentType="Command"), 400)
refused("InvalidDocumentContent", lambda: ssm.create_document(Name="judged-bad", Content="{", DocumentType="Command"), 400)
check(ssm.describe_document(Name="judged-stop")["Document"]["Hash"] == made["Hash"] and len(made["Hash"]) == 64, "the hash")
check(json.loads(ssm.get_document(Name="judged-stop")["Content"]) == content, "the content is kept")
updated = ssm.update_document(Name="judged-stop", Content=json.dumps({**content, "description": "again"}), DocumentVersion="1")["DocumentDescription"]
check((updated["LatestVersion"], updated["DefaultVersion"]) == ("2", "1"), "a second version")
refused("DuplicateDocumentContent", lambda: ssm.update_document(Name="judged-stop", Content=json.dumps({**content, "description": "again"}), DocumentVersion="2"), 400)
check(ssm.update_document_default_version(Name="judged-stop", DocumentVersion="2")["Description"]["DefaultVersion"] == "2", "the default moves")
ssm.create_document(Name="judged-list", Content=json.dumps(lister), DocumentType="Command")
host = group("dev-hosts")["Instances"][0]["InstanceId"]
hosts = [i["InstanceId"] for i in group("dev-hosts")["Instances"] if i["LifecycleState"] == "InService"]
sent = ssm.send_command(DocumentName="judged-list", InstanceIds=hosts, Comment="judge", TimeoutSeconds=60)["Command"]
refused("InvocationDoesNotExist", lambda: ssm.get_command_invocation(CommandId=sent["CommandId"], InstanceId="i-0123456789abcdef0"), 400)
for one in hosts:
    ssm.get_waiter("command_executed").wait(CommandId=sent["CommandId"], InstanceId=one)
said = {one: ssm.get_command_invocation(CommandId=sent["CommandId"], InstanceId=one) for one in hosts}
check(all(s["Status"] == "Success" and s["ResponseCode"] == 0 for s in said.values()), "all have answered")
shell = next(c for c in ssm.list_commands(CommandId=sent["CommandId"])["Commands"])
check((shell["Status"], shell["TargetCount"], shell["CompletedCount"], shell["Comment"]) == ("Success", len(hosts), len(hosts), "judge"), f"the whole: {shell}")
listed, _ = pages(ssm, "list_command_invocations", "CommandInvocations", 5, CommandId=sent["CommandId"], Details=True)
check(len(listed) == len(hosts) and all(i["CommandPlugins"] for i in listed), "invocations in small pages")
prod = next(i for r in ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["prod-ferncart"]}])["Reservations"] for i in r["Instances"])["InstanceId"]
asked = ssm.send_command(DocumentName="judged-list", InstanceIds=[prod])["Command"]["CommandId"]
ssm.get_waiter("command_executed").wait(CommandId=asked, InstanceId=prod)
container = ssm.get_command_invocation(CommandId=asked, InstanceId=prod)["StandardOutputContent"].split()
check(len(container) == 2 and container[1] == "supertokens-prod-ferncart", f"one core: {container}")
refused("InvalidParameters", lambda: ssm.send_command(DocumentName="judged-stop", InstanceIds=[prod], Parameters={"id": ["$(reboot)"]}), 400)
stopped = ssm.send_command(DocumentName="judged-stop", InstanceIds=[prod], Parameters={"id": [container[0]]}, DocumentHash=updated["Hash"], DocumentHashType="Sha256")["Command"]["CommandId"]
ssm.get_waiter("command_executed").wait(CommandId=stopped, InstanceId=prod)
core_group = next(t for t in elb.describe_target_groups()["TargetGroups"] if t["TargetGroupName"] == "core-ferncart")["TargetGroupArn"]
check(elb.describe_target_health(TargetGroupArn=core_group)["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "unhealthy", "its target fails")
thistle = next(i for r in ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["prod-thistle"]}])["Reservations"] for i in r["Instances"])["InstanceId"]
never = ssm.send_command(DocumentName="AWS-RunShellScript", InstanceIds=[thistle], Parameters={"commands": ["docker ps"]}, TimeoutSeconds=2592000)["Command"]["CommandId"]
ssm.cancel_command(CommandId=never)
until("the cancellation", lambda: [c["Status"] for c in ssm.list_commands(CommandId=never)["Commands"]] == ["Cancelled"], 60)
# our own documents for cores, as they are put into accounts
ours = pathlib.Path(__file__).resolve().parents[2] / "src/ops/kinds/core"
def commands(script):
    """The lines of a script, with what it includes and without remarks."""
    for line in script.read_text().splitlines():
        text = line.lstrip()
        if text.startswith("# include "):
            yield from (line[:len(line) - len(text)] + included for included in commands(script.with_name(text[10:] + ".sh")))
        elif text and not text.startswith("#"):
            yield line
hashes = {}
for paper in ("start-core", "stop-core", "run-core", "remove-core", "replace-core"):
    text = (ours / f"{paper}.json").read_text()
    script = ours / "scripts" / f"{paper.removesuffix('-core')}.sh"
    if script.exists():
        whole = json.loads(text)
        whole["mainSteps"][0]["inputs"]["runCommand"] = list(commands(script))
        text = json.dumps(whole)
    put = ssm.create_document(Name=f"judged-{paper}", Content=text, DocumentType="Command", DocumentFormat="JSON")["DocumentDescription"]
    check(put["Hash"] == hashlib.sha256(text.encode()).hexdigest() and all("Description" in p for p in put["Parameters"]), f"{paper} and its hash")
    hashes[paper] = put["Hash"]
one = {"Container": ["supertokens-prod-ferncart"], "Core": ["prod-ferncart"], "Port": ["3567"]}
def told(paper, parameters, comment):
    sent = ssm.send_command(DocumentName=f"judged-{paper}", DocumentVersion="1", InstanceIds=[prod], Parameters=parameters, DocumentHash=hashes[paper], DocumentHashType="Sha256",
                            Comment=comment, TimeoutSeconds=60, MaxConcurrency="1", MaxErrors="0")["Command"]["CommandId"]
    until(comment, lambda: [c["Status"] for c in ssm.list_commands(CommandId=sent)["Commands"]][:1] in (["Success"], ["Failed"]), 60)
    said = ssm.get_command_invocation(CommandId=sent, InstanceId=prod)
    row = ssm.list_command_invocations(CommandId=sent, Details=True)["CommandInvocations"][0]
    check((row["Status"], row["Comment"], row["CommandPlugins"][0]["ResponseCode"]) == (said["Status"], comment, said["ResponseCode"]), f"{comment}: {row}")
    return said["Status"], said["ResponseCode"], said["StandardOutputContent"].strip()
check(told("start-core", one, "judge starts") == ("Success", 0, "it answers"), "a core that was stopped starts")
check(told("stop-core", {k: v for k, v in one.items() if k != "Port"}, "judge stops")[:2] == ("Success", 0), "and stops")
missed = told("stop-core", {"Container": ["nobody"], "Core": ["nobody"]}, "judge misses")
check(missed[:2] == ("Failed", 44) and missed[2].endswith("no such container"), f"one that is not there: {missed}")
check(told("start-core", {**one, "Core": ["prod-other"]}, "judge errs")[:2] == ("Failed", 45), "one that is another core")
check(told("start-core", one, "judge starts again")[:2] == ("Success", 0), "back to before")
refused("InvalidParameters", lambda: told("stop-core", {**one, "Container": ["a'; reboot; '"]}, "judge breaks out"), 400)
refused("InvalidDocument", lambda: ssm.send_command(DocumentName="judged-stop-core", InstanceIds=[prod], Parameters=one, DocumentHash="0" * 64, DocumentHashType="Sha256"), 400)
ssm.delete_document(Name="judged-list")
refused("InvalidDocument", lambda: ssm.send_command(DocumentName="judged-list", InstanceIds=[prod]), 400)
