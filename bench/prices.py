"""AWS's list prices in US dollars, us-east-1, without free tiers and discounts, as published in November 2026.

The only place that knows them. Each is what one of the named thing costs.
"""

from decimal import Decimal

MILLION = Decimal(1_000_000)

READ_UNIT = Decimal("0.125") / MILLION
"""One read request unit, on demand: https://aws.amazon.com/dynamodb/pricing/on-demand/"""

WRITE_UNIT = Decimal("0.625") / MILLION
"""One write request unit, on demand: the same page."""

HTTP_REQUEST = Decimal("1.00") / MILLION
"""One call of an HTTP API: https://aws.amazon.com/api-gateway/pricing/"""

INVOCATION = Decimal("0.20") / MILLION
"""One invocation of a Lambda function: https://aws.amazon.com/lambda/pricing/"""

GIGABYTE_SECOND = Decimal("0.0000166667")
"""One gigabyte of memory for one second on x86: the same page."""

TRANSITION = Decimal("0.025") / 1000
"""One state transition of a Standard workflow: https://aws.amazon.com/step-functions/pricing/"""

EXPRESS_RUN = Decimal("1.00") / MILLION
"""One run of an Express workflow: the same page."""

EXPRESS_GIGABYTE_SECOND = Decimal("0.06") / 3600
"""One gigabyte of an Express workflow's memory for one second, the first 1,000 GB-hours: the same page."""

SIGNATURE = Decimal("0.15") / 10_000
"""One call of KMS with an elliptic-curve key: https://aws.amazon.com/kms/pricing/"""

KEY_MONTH = Decimal("1.00")
"""One KMS key for a month: the same page."""

S3_WRITE = Decimal("0.005") / 1000
"""One PUT; deletes are free: https://aws.amazon.com/s3/pricing/"""

S3_READ = Decimal("0.0004") / 1000
"""One GET: the same page."""

SCHEDULE = Decimal("1.00") / MILLION
"""One invocation by EventBridge Scheduler: https://aws.amazon.com/eventbridge/pricing/"""

TRACE = Decimal("5.00") / MILLION
"""One trace that X-Ray records: https://aws.amazon.com/xray/pricing/"""
