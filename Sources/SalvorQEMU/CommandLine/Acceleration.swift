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
        case .tcg: "tcg,thread=multi"
        }
    }
}
