/// What a rescue VM is made of. One place for it, so that whatever is measured beside a rescue runs on the same machine.
package struct RescueHardware: Hashable, Sendable {
    package var memoryMiB: Int
    package var cpus: Int

    /// - Parameter cpus: the second unpacks the initramfs and starts the agent while the first loads drivers. Under translation
    ///   there is one (``Acceleration``).
    package init(memoryMiB: Int = 512, cpus: Int = 2) {
        self.memoryMiB = memoryMiB
        self.cpus = cpus
    }

    package static func kernelCommandLine(_ acceleration: Acceleration) -> String {
        let common = "console=ttyS0 quiet panic=-1"
        return acceleration == .kvm ? common : ([common] + argumentsUnderTranslation).joined(separator: " ")
    }

    /// What costs much under translation and gives little there. Without address randomisation QEMU translates a shared
    /// library once, and not again for each process that has it at another address: programs start four times as fast.
    /// It is a protection given up, in a machine that lives for one rescue and can reach nothing but its coordinator.
    private static let argumentsUnderTranslation = [
        "tsc=reliable", "no_timer_check", "cryptomgr.notests", "init_on_alloc=0", "norandmaps",
    ]
}
