/// How guest code is run.
package enum Acceleration: Hashable, Sendable {
    case kvm
    /// Translation; the reason says why not KVM.
    case tcg(reason: String)

    /// `kvm` or `tcg`.
    package var name: String {
        switch self {
        case .kvm: "kvm"
        case .tcg: "tcg"
        }
    }

    /// The value of `-accel`.
    var option: String {
        switch self {
        case .kvm: "kvm"
        case .tcg: "tcg"
        }
    }

    /// How many of the processors that a guest is to have it gets: under translation one.
    ///
    /// QEMU before 8.1.1 (Debian 12 has 7.2) changes the memory map while processors run in other threads that still use
    /// the old one (`tcg_commit`), so that what one writes to a device's register reaches another device, or crashes QEMU.
    /// It takes that a disk is plugged in or out, or a PCI device set up, while another processor ends an interrupt; then that
    /// interrupt never ends, and the guest waits for its disk for ever.
    func processors(of wanted: Int) -> Int {
        switch self {
        case .kvm: wanted
        case .tcg: 1
        }
    }
}
