"""API Gateway's management of WebSocket connections: post to one, close one.

Where it is comes from botocore's own variable, AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI.
Source: AWS API reference, "API Gateway Management API"; a connection can be written to once $connect has answered.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from slipway.errors import UpstreamUnavailableError
from slipway.observability import logger
from slipway.store import aws_client
from slipway.streams.models import Posted

_SECONDS = 3.0
_GONE, _TOO_MANY, _FORBIDDEN = 410, 429, 403


class ConnectionsApi:
    """Writes to connections and closes them.

    Args:
        client: Of ``apigatewaymanagementapi``, which must not try a post again by itself: it may have arrived.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def post(self, connection_id: str, text: str) -> Posted:
        """Send a message, and report what became of it."""
        try:
            self._client.post_to_connection(ConnectionId=connection_id, Data=text.encode())
        except ClientError as error:
            return _refused(error)
        except (ConnectTimeoutError, EndpointConnectionError):
            return Posted.NOT_SENT
        except BotoCoreError as error:
            logger.warning("unknown whether a message arrived", error_type=type(error).__name__)
            return Posted.UNKNOWN
        return Posted.SENT

    def close(self, connection_id: str) -> bool:
        """Close a connection; False when there is none: not any more, or not yet.

        Raises:
            UpstreamUnavailableError: API Gateway did not do it.
        """
        try:
            self._client.delete_connection(ConnectionId=connection_id)
        except ClientError as error:
            if _status(error) != _GONE:
                raise UpstreamUnavailableError("The connection could not be closed", retry_after=2) from error
            return False
        except BotoCoreError as error:
            raise UpstreamUnavailableError("The connection could not be closed", retry_after=2) from error
        return True


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _refused(error: ClientError) -> Posted:
    status = _status(error)
    if status == _GONE:
        return Posted.GONE
    logger.warning("message refused", status=status, code=error.response.get("Error", {}).get("Code", ""))
    return Posted.NOT_SENT if status in (_TOO_MANY, _FORBIDDEN) else Posted.UNKNOWN


def connections_api() -> ConnectionsApi:
    """Return the connections of this installation."""
    return ConnectionsApi(aws_client("apigatewaymanagementapi", _SECONDS, 1))
