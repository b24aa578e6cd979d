/// The machine that an ELF file is built for.
struct ELFMachine: RawRepresentable, Hashable, CustomStringConvertible {
    let rawValue: UInt16

    /// The machine that this host was built for.
    static var own: ELFMachine {
        #if arch(x86_64)
        ELFMachine(rawValue: 62)
        #elseif arch(arm64)
        ELFMachine(rawValue: 183)
        #elseif arch(riscv64)
        ELFMachine(rawValue: 243)
        #else
        #error("name this machine's ELF number here")
        #endif
    }

    var description: String {
        switch rawValue {
        case 3: "Intel 386"
        case 8: "MIPS"
        case 20: "PowerPC"
        case 21: "PowerPC 64"
        case 22: "IBM S/390"
        case 40: "ARM 32-bit"
        case 62: "x86-64"
        case 183: "ARM64 (aarch64)"
        case 243: "RISC-V"
        case 258: "LoongArch"
        default: "machine number \(rawValue)"
        }
    }
}
