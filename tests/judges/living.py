"""What the judges of changes share: clients, looks at the pretended world, waiting in pretended time, and calls that
AWS's models do not allow."""
from judging import *
from pretended import happens


def until(what, happened, within=3600):
    """Waits until it happened, for at most so many pretended seconds."""
    check(happens(happened, within), f"{what} did not happen within {within} s")


def spoilt(shape, value, path=""):
    """What AWS's model does not allow, made of a value that it does: (what was done, the value)."""
    kind, rules = shape.type_name, shape.metadata
    if kind == "structure" and isinstance(value, dict):
        for name in shape.required_members:
            # An empty structure does not come through in forms.
            if name in value and len(value) > 1:
                yield f"without {path}.{name}", {k: v for k, v in value.items() if k != name}
        for name, inner in value.items():
            for what, other in spoilt(shape.members[name], inner, f"{path}.{name}"):
                yield what, value | {name: other}
    elif kind == "list" and value:
        if "max" in rules and rules["max"] <= 200:
            yield f"with {rules['max'] + 1} in {path}", (value * (rules["max"] + 1))[: rules["max"] + 1]
        for what, other in spoilt(shape.member, value[0], f"{path}[]"):
            yield what, [other, *value[1:]]
    elif kind == "string":
        if shape.enum:
            yield f"with a strange {path}", "nonsense"
        elif rules.get("max", 1 << 20) <= 5000:
            yield f"with a long {path}", "x" * (rules["max"] + 1)
    elif kind in ("integer", "long"):
        if "min" in rules:
            yield f"with {rules['min'] - 1} for {path}", rules["min"] - 1
        if "max" in rules:
            yield f"with {rules['max'] + 1} for {path}", rules["max"] + 1


SPOILT = set()


def spoiling(c):
    """Before the first call of an operation that is answered, everything that the model does not allow in its place:
    all of that must be refused."""
    lax = client(c.meta.service_model.service_name, config=Config(retries={"total_max_attempts": 1}, parameter_validation=False))
    call = c._make_api_call

    def tried(operation, asked):
        if operation in SPOILT:
            return call(operation, asked)
        for what, other in spoilt(c.meta.service_model.operation_model(operation).input_shape, asked):
            # Under a token of its own: one that is answered must not stand for the call itself.
            tokens = {name: f"spoilt-{time.monotonic_ns()}" for name in ("ClientToken", "clientToken") if name in other}
            try:
                lax._make_api_call(operation, other | tokens)
                fault(f"{operation} {what} is answered")
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                    fault(f"{operation} {what}: {error}")
        said = call(operation, asked)
        SPOILT.add(operation)
        return said
    c._make_api_call = tried
    return c


ec2, asg, ecs, elb, ssm = (spoiling(client(n)) for n in ("ec2", "autoscaling", "ecs", "elbv2", "ssm"))


def group(name):
    return asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]


def instance(id):
    return ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]


def service(name, cluster="api-prod"):
    return ecs.describe_services(cluster=cluster, services=[name])["services"][0]


def refresh(name):
    return asg.describe_instance_refreshes(AutoScalingGroupName=name)["InstanceRefreshes"][0]
