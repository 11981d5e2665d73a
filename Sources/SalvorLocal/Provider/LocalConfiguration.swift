package import SalvorCoordinatorCore
package import SalvorDigest
package import SalvorQEMU
package import SystemPackage

/// What the local provider works with.
package struct LocalConfiguration: Sendable {
    /// How a disk is copied.
    package enum CopyStyle: String, Hashable, Sendable, CaseIterable {
        /// A qcow2 file that holds what differs: made at once, and the original must stay.
        case overlay
        /// A whole copy, sparse, by reflink where the file system can.
        case full
    }

    /// Kernel and initramfs of the rescue image.
    package struct RescueImage: Hashable, Sendable {
        package var kernel: FilePath
        package var initramfs: FilePath
        /// Names the image, by what it was made from.
        package var digest: Digest?

        package init(kernel: FilePath, initramfs: FilePath, digest: Digest? = nil) {
            self.kernel = kernel
            self.initramfs = initramfs
            self.digest = digest
        }
    }

    /// Folder of the machines' YAML files.
    package var inventory: FilePath
    /// Where running machines and records of copies are kept, for this user alone.
    package var stateFolder: FilePath
    /// Nil where no image has been built.
    package var rescueImage: RescueImage?
    /// Makes the config disk, a raw image, at a path where nothing is yet. Its bytes are secret.
    package var makeConfigDisk: @Sendable (HostSpecification, FilePath) async throws -> Void
    package var copyStyle: CopyStyle = .overlay

    /// QEMU's formats are its own to change. A disk of another program's format stays one: a repaired VHD is a VHD.
    func makesOverlay(of format: MachineDisk.Format) -> Bool {
        copyStyle == .overlay && (format == .raw || format == .qcow2)
    }

    package var rescueHardware = RescueHardware()
    /// With this the first line begins that the rescue image prints once its drivers are loaded: from then on disks
    /// can be plugged in.
    package var rescueReadyPrefix = "salvor-init:"
    /// How long the rescue image may take to print it, at its first start and at those that follow where it did not.
    package var rescueStartLimits: [Duration] = [.seconds(30), .seconds(60), .seconds(90)]
    /// The program whose standard input and output become a connection of the rescue VM; nil for socat.
    package var relay: (@Sendable (_ coordinatorPort: Int) -> [String])?
    /// Agents wait for the coordinator, which dials them through a port of 127.0.0.1, instead of dialling it.
    package var agentsListen = false
    /// A machine that has restarted this often without being ready counts as looping. Windows restarts once or twice
    /// of its own accord after a repair.
    package var restartLimit = 3
    /// How long a machine may take to power off after its boot was proven.
    package var powerOffGrace: Duration = .seconds(20)
    package var tools: QEMUTools
    /// Instead of finding out whether KVM works.
    package var acceleration: Acceleration?
    /// Where the answer about KVM is kept.
    package var accelerationCache: FilePath?

    package init(
        inventory: FilePath, stateFolder: FilePath, rescueImage: RescueImage?, tools: QEMUTools = QEMUTools(),
        accelerationCache: FilePath?,
        makeConfigDisk: @escaping @Sendable (HostSpecification, FilePath) async throws -> Void
    ) {
        self.inventory = inventory
        self.stateFolder = stateFolder
        self.rescueImage = rescueImage
        self.makeConfigDisk = makeConfigDisk
        self.tools = tools
        self.accelerationCache = accelerationCache
    }
}
