"""smartapi-python's SmartWebSocketV2, unmodified: prints what it has received and what it has made of it.

Arguments: URL JWT API_KEY CLIENT_CODE FEED_TOKEN MESSAGES, and [[mode, exchangeType, [token, …]], …] on standard input.
"""

import json
import logging
import os
import sys
import threading

logging.disable(logging.CRITICAL)
# It writes log files into the working directory.
os.chdir(os.environ.get("SCRATCH", "/tmp"))
from SmartApi.smartWebSocketV2 import SmartWebSocketV2  # noqa: E402

url, jwt, api_key, client_code, feed_token, limit = *sys.argv[1:6], int(sys.argv[6])
subscriptions = json.load(sys.stdin)
done = threading.Event()
printed = 0


class Client(SmartWebSocketV2):
    ROOT_URI = url

    def _parse_binary_data(self, binary_data):
        global printed
        decoded = super()._parse_binary_data(binary_data)
        if printed < limit:
            printed += 1
            print(json.dumps({"raw": binary_data.hex(), "tick": decoded}), flush=True)
            if printed == limit:
                done.set()
        return decoded


client = Client(jwt, api_key, client_code, feed_token)


def opened(_):
    for mode, exchange, tokens in subscriptions:
        client.subscribe("stranger01", mode, [{"exchangeType": exchange, "tokens": tokens}])


client.on_open = opened
client.on_data = lambda *_: None
client.on_error = lambda *_: None
client.on_close = lambda *_: None
threading.Thread(target=client.connect, daemon=True).start()
code = 0 if done.wait(120) else 3
sys.stdout.flush()
os._exit(code)
