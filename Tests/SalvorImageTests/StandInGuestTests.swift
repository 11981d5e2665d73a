import Fixtures
import SalvorImage
import SystemPackage
import Testing

@Suite(.serialized) struct StandInGuestTests {
    private func console(_ scratch: FilePath, _ files: BrokenWindows.ChannelFiles) async throws -> GuestConsole {
        let image = try await StandInGuest.image(cacheDirectory: ImageBuilder.defaultCacheDirectory)
        let disk = scratch.appending("disk.raw")
        let machine = BrokenWindows {
            $0.sizeBytes = 128 << 20
            $0.otherFiles = 5
            $0.channelFiles = files
        }
        try await DiskMaker().make(machine.disk, at: disk)
        return GuestConsole(image: image, commandLine: StandInGuest.commandLine, disks: [.init(disk, serial: "os")])
    }

    @Test func `With a faulty channel file it stops with the bugcheck and restarts, again and again`() async throws {
        try await withScratch { scratch in
            let console = try await console(scratch, .faultyAndCorrected)
            let seen = Counter()
            let lines = try await console.run(timeout: .seconds(240)) {
                $0.contains(StandInGuest.bugcheckLine) && seen.increment() == 2
            }.map(\.text)
            #expect(lines.filter { $0.contains("Kernel panic") }.count == 1)
            #expect(!lines.contains { $0.contains(StandInGuest.readyLine) })
        }
    }

    @Test(arguments: [BrokenWindows.ChannelFiles.onlyCorrected, .none])
    func `Without one it is ready, stays up, and obeys the power button`(files: BrokenWindows.ChannelFiles) async throws
    {
        try await withScratch { scratch in
            var console = try await console(scratch, files)
            console.powerButtonAt = StandInGuest.readyLine
            let lines = try await console.run(timeout: .seconds(240)).map(\.text)
            #expect(lines.contains { $0.contains(StandInGuest.readyLine) })
            #expect(lines.contains { $0.contains("Windows is shutting down") })
            #expect(!lines.contains { $0.contains("STOP") })
        }
    }
}
