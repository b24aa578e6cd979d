import json
def test_one(start_host, connect):
    host = start_host(settings={"simulator.rate": 10, "simulator.seed": 7})
    print(host.ready)
    c = connect(host, "alice")
    print(c.subscribe("NSE:RELIANCE"))
    for t in c.ticks(3): print(t)
    print(c.subscribe("NSE:RELIANCE", mode="Depth"))
    for t in c.ticks(6): print(json.dumps(t)[:300])
    print(host.stderr)
