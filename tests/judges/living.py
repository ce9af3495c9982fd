"""What the judges of changes share: clients, looks at the pretended world, and waiting in pretended time."""
import time
from judging import *

SPEED = float(os.environ["SPEED"])


def until(what, happened, within=3600):
    """Waits until it happened, for at most so many pretended seconds."""
    end = time.monotonic() + within / SPEED
    while time.monotonic() < end:
        if happened():
            return True
    fault(f"{what} did not happen within {within} s")
    return False


ec2, asg, ecs, elb, ssm = (client(n) for n in ("ec2", "autoscaling", "ecs", "elbv2", "ssm"))


def group(name):
    return asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]


def instance(id):
    return ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]


def service(name, cluster="api-prod"):
    return ecs.describe_services(cluster=cluster, services=[name])["services"][0]


def refresh(name):
    return asg.describe_instance_refreshes(AutoScalingGroupName=name)["InstanceRefreshes"][0]
