import CFeedhostABI

/// What a status means, for people.
package enum StatusWords {
    package static func of(_ status: fh_status) -> String {
        switch Int(status) {
        case Int(FH_OK): "it returned nothing"
        case Int(FH_E_INVALID): "a setting or argument is wrong; see the adapter's log lines"
        case Int(FH_E_UNSUPPORTED): "it does not support this"
        case Int(FH_E_NOMEM): "out of memory"
        case Int(FH_E_STATE): "not possible in its present state"
        case Int(FH_E_LIMIT): "a limit is reached"
        case Int(FH_E_AUTH): "the credentials are refused or missing"
        case Int(FH_E_NETWORK): "the network failed"
        case Int(FH_E_UNKNOWN_INSTRUMENT): "unknown instrument"
        case Int(FH_E_STOPPING): "it is shutting down"
        case Int(FH_E_TIMEOUT): "it timed out"
        case Int(FH_E_INTERNAL): "an internal error of the adapter"
        default: "status \(status)"
        }
    }
}
