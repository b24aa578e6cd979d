import AdapterKit
import AngelAdapter
import CFeedhostABI

private let entry = AdapterEntry([Angel.registration])

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The one symbol that this plugin exports; the name is the contract's.
@c @implementation
public func feedhost_adapter_entry_v1() -> UnsafePointer<fh_entry>! {
    entry.table
}
