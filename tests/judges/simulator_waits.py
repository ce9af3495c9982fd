"""Judges the simulator with the waiters of botocore that the other judges of changes have no use for, with what each
must not wait for any longer, and that none was left out; simulator_changes.py runs it before its verdict."""
from botocore.exceptions import WaiterError
from living import *


def fails(waiter, why, **asked):
    try:
        waiter.wait(**asked)
        fault(f"{waiter.name} is content, but: {why}")
    except WaiterError as error:
        check(why in str(error), f"{waiter.name}: {error} instead of {why}")


now = [i["InstanceId"] for g in asg.describe_auto_scaling_groups()["AutoScalingGroups"] for i in g["Instances"]][:3]
ec2.get_waiter("instance_exists").wait(InstanceIds=now)
ec2.get_waiter("system_status_ok").wait(InstanceIds=now[:1])
image = instance(now[0])["ImageId"]
ec2.get_waiter("image_exists").wait(ImageIds=[image])
ec2.get_waiter("image_available").wait(ImageIds=[image])
gone = ec2.run_instances(ImageId=image, InstanceType=instance(now[0])["InstanceType"], MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
ec2.get_waiter("instance_running").wait(InstanceIds=[gone])
ec2.terminate_instances(InstanceIds=[gone])
fails(ec2.get_waiter("instance_running"), "terminal failure state", InstanceIds=[gone])
ec2.get_waiter("instance_terminated").wait(InstanceIds=[gone])

names = [b["LoadBalancerName"] for b in elb.describe_load_balancers()["LoadBalancers"]]
elb.get_waiter("load_balancer_available").wait(Names=names)
elb.get_waiter("load_balancer_exists").wait(Names=names)
fails(elb.get_waiter("load_balancer_exists"), "Max attempts exceeded", Names=["nobody"])
elb.get_waiter("load_balancers_deleted").wait(Names=["nobody"])

fails(ecs.get_waiter("services_stable"), "terminal failure state", cluster="api-prod", services=["nobody"])
fails(ecs.get_waiter("tasks_running"), "terminal failure state", cluster="api-prod", tasks=["0" * 32])
watch = client("cloudwatch")
watch.get_waiter("alarm_exists").wait(AlarmNames=[watch.describe_alarms()["MetricAlarms"][0]["AlarmName"]])
# The pretended world has no composite alarms.
fails(watch.get_waiter("composite_alarm_exists"), "Max attempts exceeded", AlarmNames=["nobody"])
for waiter in unwaited():
    fault(f"{waiter} waits for what is served and was not judged")
