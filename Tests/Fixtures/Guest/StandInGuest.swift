package import SalvorImage
package import SystemPackage

/// The machine that stands in for the broken Windows: it reads C: as the real one did, stops with a bugcheck and
/// restarts while a faulty channel file is there, and says so when it is ready.
package enum StandInGuest {
    /// What the serial console shows once the machine is up.
    package static let readyLine = "Windows is ready"
    /// What it shows while a faulty channel file stops it.
    package static let bugcheckLine = "*** STOP: 0x00000050 PAGE_FAULT_IN_NONPAGED_AREA (csagent.sys)"
    /// The kernel command line: restart a second after a panic, as Windows does after a bugcheck.
    package static let commandLine = "console=ttyS0 quiet panic=1 tsc=reliable no_timer_check cryptomgr.notests"

    /// The image recipe, beside this file in the checkout.
    package static var recipeDirectory: FilePath { GuestImage.recipe("StandInGuest") }

    /// Kernel and initramfs of the guest, from the cache if they were built before.
    package static func image(
        cacheDirectory: FilePath, progress: @escaping @Sendable (ImageProgress) -> Void = { _ in }
    ) async throws -> RescueImage {
        try await GuestImage.make(recipe: recipeDirectory, cacheDirectory: cacheDirectory, progress: progress)
    }
}
