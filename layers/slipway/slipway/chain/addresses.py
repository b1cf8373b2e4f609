"""``python -m slipway.chain.addresses KEY_ID…``: prints the account of each KMS deployer key, to fund and register."""

import sys

import boto3

from slipway.chain.kms_signer import ethereum_address


def main(key_ids: list[str]) -> int:
    """Print one address a line; takes the AWS account and region from the environment, as the AWS CLI does."""
    if not key_ids:
        print("Give the KMS key ids of the stack's output DeployerKeyIds", file=sys.stderr)
        return 2
    kms = boto3.client("kms")
    for key_id in key_ids:
        print(ethereum_address(kms, key_id))
    return 0


if __name__ == "__main__":
    sys.exit(main([key_id for argument in sys.argv[1:] for key_id in argument.split(",") if key_id]))
