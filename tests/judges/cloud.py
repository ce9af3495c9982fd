"""Clients for one endpoint: no retries, no surprises from the machine's own AWS configuration."""
import boto3
from botocore.config import Config


def client(service, endpoint, region, keys=("judge", "judge"), token=None):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        aws_session_token=token,
        config=Config(
            retries={"total_max_attempts": 1},
            read_timeout=120,
            disable_request_compression=True,
        ),
    )


def assumed(endpoint, region, account, role, keys=("judge", "judge")):
    """Keys and token of a role: in moto they land in that account's own state."""
    sts = client("sts", endpoint, region, keys)
    got = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="judge")["Credentials"]
    return (got["AccessKeyId"], got["SecretAccessKey"]), got["SessionToken"]
