import AdapterKit
import CFeedhostABI
import SimulatorAdapter

private let entry = AdapterEntry([Simulator.registration])

@c @implementation
public func feedhost_adapter_entry_v1() -> UnsafePointer<fh_entry>! {
    entry.table
}
