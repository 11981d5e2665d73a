import Fixtures
import SalvorImage
import SalvorQEMU
import SystemPackage

/// The least that a rescue in a virtual machine can do: the rescue image's kernel with busybox mounts, deletes,
/// unmounts and powers off.
struct Floor: Contender {
    let name = "floor"
    private let image: RescueImage
    private let usesKVM: Bool
    private let tools = ToolRunner()

    /// - Parameter rescueKernel: the kernel that the floor is to have, too.
    init(rescueKernel: FilePath, usesKVM: Bool) async throws {
        self.usesKVM = usesKVM
        // The same inputs give the same image, so this builds only what is not there.
        let recipe = try ImageRecipe(directory: FloorGuest.recipeDirectory)
        image = try await ImageBuilder(recipe: recipe, cacheDirectory: ImageBuilder.defaultCacheDirectory)
            .build(agent: nil)
        guard try Posix.read(image.kernel) == Posix.read(rescueKernel) else {
            throw FixtureError("the rescue image has another kernel than the floor: run `salvor image build`")
        }
    }

    func deleteFaultyFile(from disk: BenchDisk) async throws -> Double {
        try await disk.withOverlay { overlay in
            let folder = try Posix.makeTemporaryDirectory(in: disk.folder, prefix: "floor-")
            defer { Posix.removeTree(folder) }
            let acceleration: Acceleration = usesKVM ? .kvm : .tcg(reason: "as salvor doctor says")
            let hardware = RescueHardware()
            let commandLine = QEMUCommandLine(
                name: "floor", acceleration: acceleration, memoryMiB: hardware.memoryMiB, cpus: hardware.cpus,
                firmware: .direct(
                    kernel: image.kernel, initramfs: image.initramfs,
                    append: RescueHardware.kernelCommandLine(acceleration)),
                disks: [try MachineDisk(file: overlay, format: .qcow2, serial: "floor")])
            // Nobody is there to let it go by its monitor.
            let arguments = commandLine.arguments(uuid: "5a1f0291-0719-4409-8527-000000000f10").filter { $0 != "-S" }
            let start = ContinuousClock.now
            try await tools.output("qemu-system-x86_64", arguments, in: folder)
            return (ContinuousClock.now - start).inSeconds
        }
    }
}
