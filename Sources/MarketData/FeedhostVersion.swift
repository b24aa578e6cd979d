/// The version of this program; `feedhost --version` prints it and adapters read it from `fh_host`.
public enum FeedhostVersion {
    public static let text = "0.1.0"
}
