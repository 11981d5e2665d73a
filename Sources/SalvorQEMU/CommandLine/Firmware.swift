package import SystemPackage

/// What a machine starts from.
package enum Firmware: Hashable, Sendable {
    /// QEMU loads a Linux kernel itself, with no boot loader. The command line is public: it never holds a secret.
    case direct(kernel: FilePath, initramfs: FilePath?, append: String)
    /// SeaBIOS, from the first disk.
    case bios
    /// UEFI; the variables are copied from the template into the machine's folder, so that no machine changes
    /// another's boot order.
    case uefi(code: FilePath, variablesTemplate: FilePath)
}

extension Firmware {
    /// Debian's `ovmf` package. The 4 MiB build is the one that Debian starts new machines with.
    package static let debianUEFI = Firmware.uefi(
        code: "/usr/share/OVMF/OVMF_CODE_4M.fd", variablesTemplate: "/usr/share/OVMF/OVMF_VARS_4M.fd")
}
