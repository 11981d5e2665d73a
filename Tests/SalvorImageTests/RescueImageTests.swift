import Fixtures
import SalvorImage
import SystemPackage
import Testing

/// The real image, booted, with a script in the agent's place that shows what the agent would find.
@Suite(.serialized) struct RescueImageTests {
    private static let agent = """
        # All of it: the end of the input is the end of the drivers' loading.
        bootstrap=$(cat "$2")
        echo "agent: arguments $*"
        echo "agent: bootstrap $bootstrap"
        echo "agent: config $(grep ' /run/salvor/config ' /proc/mounts)"
        echo "agent: address $(ip -o -4 address show dev eth0)"
        echo "agent: route $(ip route)"
        echo "agent: fuse $(ls /dev/fuse)"
        echo "agent: serials $(cat /sys/block/vda/serial) $(cat /sys/block/vdb/serial)"
        echo "agent: size $(lsblk --bytes --nodeps --noheadings --output SIZE /dev/vdb)"
        echo "agent: blkid $(blkid -p -o value -s TYPE /dev/vdb3)"
        mkdir /run/c
        ntfs-3g -o ro,norecover /dev/vdb3 /run/c && echo "agent: drivers $(ls /run/c/Windows/System32/drivers/CrowdStrike)"
        cryptsetup --version | sed 's/^/agent: /'
        modprobe -a dm-crypt dm-zero xts ecb essiv virtio_scsi sd_mod && echo "agent: modules load"
        for module in hv_vmbus hv_storvsc hv_netvsc hv_utils pci-hyperv; do
            modinfo=$(grep -c "/$module.ko:" /lib/modules/*/modules.dep) && echo "agent: $module is listed $modinfo time"
        done
        echo "agent: date $(date -u +%Y)"
        exit 7
        """

    private func image(_ scratch: FilePath) async throws -> RescueImage {
        try makeScript("salvor-agent", in: scratch, Self.agent)
        let builder = ImageBuilder(
            recipe: try ImageRecipe(directory: rescueRecipe), cacheDirectory: ImageBuilder.defaultCacheDirectory)
        return try await builder.build(agent: scratch.appending("salvor-agent"))
    }

    private func configDisk(_ scratch: FilePath, _ name: String, network: String?) async throws -> FilePath {
        let path = scratch.appending(name)
        var files = [ConfigDisk.File(name: ConfigDisk.bootstrapName, bytes: Array("for-the-agent".utf8))]
        if let network { files.append(.init(name: ConfigDisk.networkName, bytes: Array(network.utf8))) }
        try await ConfigDisk.make(at: path, files: files)
        return path
    }

    @Test func `It boots, finds disks and config, sets the network up, runs the agent, and powers off when that ends`()
        async throws
    {
        try await withScratch { scratch in
            let image = try await image(scratch)
            #expect(image.initramfsSizeBytes <= 60 << 20)
            let config = try await configDisk(scratch, "config.img", network: "10.0.2.15/24 10.0.2.2\n")
            let disk = scratch.appending("disk.raw")
            try await DiskMaker().make(
                BrokenWindows {
                    $0.sizeBytes = 128 << 20; $0.otherFiles = 5
                }.disk, at: disk)
            var console = GuestConsole(
                image: image, commandLine: "console=ttyS0 quiet panic=-1",
                disks: [.init(config, serial: "config", readOnly: true), .init(disk, serial: "repair-1")])
            console.endsAtReset = true
            console.network = true
            let lines = try await console.run(timeout: .seconds(240)).map(\.text)
            let text = lines.joined(separator: "\n")
            for expected in [
                "agent: arguments --bootstrap /proc/self/fd/0", "agent: bootstrap for-the-agent",
                "agent: config /dev/vda /run/salvor/config vfat ro,nosuid,nodev,noexec", "inet 10.0.2.15/24",
                "agent: route default via 10.0.2.2", "agent: fuse /dev/fuse", "agent: serials config repair-1",
                "agent: size 134217728", "agent: hv_storvsc is listed 1 time",
                "agent: hv_netvsc is listed 1 time", "agent: pci-hyperv is listed 1 time",
                "agent: blkid ntfs", "C-00000291-00000000-00000032.sys", "agent: cryptsetup 2.6", "agent: modules load",
                "salvor-init: the agent ended with status 7; powering off",
            ] { #expect(text.contains(expected), "\(expected) is not in: \(text)") }
            #expect(!text.contains("Kernel panic"))
        }
    }

    @Test func `Two config disks are one too many: it says so and powers off without running the agent`() async throws {
        try await withScratch { scratch in
            let image = try await image(scratch)
            let one = try await configDisk(scratch, "one.img", network: nil)
            let two = try await configDisk(scratch, "two.img", network: nil)
            var console = GuestConsole(
                image: image, commandLine: "console=ttyS0 quiet panic=-1",
                disks: [.init(one, serial: "one"), .init(two, serial: "two")])
            console.endsAtReset = true
            let text = try await console.run(timeout: .seconds(240)).map(\.text).joined(separator: "\n")
            #expect(text.contains("salvor-init: fatal: two config disks, /dev/vdb and /dev/vda; attach exactly one"))
            #expect(!text.contains("agent:"))
        }
    }
}
