import AdapterKit
import BinanceAdapter
import CFeedhostABI

private let entry = AdapterEntry([Binance.registration])

@c @implementation
public func feedhost_adapter_entry_v1() -> UnsafePointer<fh_entry>! {
    entry.table
}
