internal import ArgumentParser
internal import FoundationEssentials
internal import SalvorCoordinatorCore
internal import SalvorDigest
internal import SalvorImage
internal import SystemPackage

struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Makes the rescue VM's kernel and initramfs, or a disk of them.",
        subcommands: [Build.self])

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "build",
            abstract: "Builds the rescue image from Debian packages, without root, and keeps it in the cache.",
            discussion: """
                The same inputs give the same bytes, and are not built twice. The network is needed for packages that \
                are not in the cache yet.

                Formats: kernel, a kernel and an initramfs, which the local provider starts; vhd, one fixed VHD that \
                starts under BIOS and UEFI (generation 1 and 2), which goes to Azure.

                Examples:
                  salvor image build --output json
                  salvor image build --format vhd
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable { case kernel, vhd }

        @Option(
            help: ArgumentHelp(
                "What to make: \(Format.allCases.map(\.rawValue).joined(separator: " or ")).", valueName: "format"))
        var format = Format.kernel

        @Option(help: ArgumentHelp("The salvor-agent to put in. Default: the one beside salvor.", valueName: "file"))
        var agent: String?

        @OptionGroup var shared: SharedOptions

        func run() async throws {
            try await ending { [self] in
                let context = try RunContext(shared)
                let agent = agent.map { RunContext.absolute($0) } ?? context.installation.agent.path
                let note = { @Sendable (progress: ImageProgress) in StandardStreams.note("rescue image: \(progress)") }
                switch format {
                case .kernel:
                    try Self.print(
                        try await context.images.build(agent: FilePath(agent), progress: note), shared.output)
                case .vhd:
                    try Self.print(
                        try await context.images.buildDisk(agent: FilePath(agent), progress: note), shared.output)
                }
                return .success
            }
        }

        private struct Output: Encodable {
            var digest: String
            var kernel: String
            var kernelRelease: String
            var kernelBytes: Int
            var initramfs: String
            var initramfsBytes: Int
            var initramfsSHA256: String
        }

        private static func print(_ image: RescueImage, _ format: OutputFormat) throws {
            switch format {
            case .json:
                StandardStreams.print(
                    try JSONOutput.render(
                        Output(
                            digest: image.digest.hex, kernel: image.kernel.string, kernelRelease: image.kernelRelease,
                            kernelBytes: image.kernelSizeBytes, initramfs: image.initramfs.string,
                            initramfsBytes: image.initramfsSizeBytes, initramfsSHA256: image.initramfsSHA256.hex)))
            case .table:
                var table = TextTable("PART", "MB", "FILE")
                table.add("kernel \(image.kernelRelease)", megabytes(image.kernelSizeBytes), image.kernel.string)
                table.add("initramfs", megabytes(image.initramfsSizeBytes), image.initramfs.string)
                StandardStreams.print(table.rendered)
            }
        }

        private struct DiskOutput: Encodable {
            var digest: String
            var vhd: String
            var sha256: String
            var fileBytes: Int
            var diskBytes: Int
            var contentBytes: Int
            var kernelRelease: String
            var imageDigest: String
        }

        private static func print(_ disk: RescueDisk, _ format: OutputFormat) throws {
            switch format {
            case .json:
                StandardStreams.print(
                    try JSONOutput.render(
                        DiskOutput(
                            digest: disk.digest.hex, vhd: disk.vhd.string, sha256: disk.sha256.hex,
                            fileBytes: disk.fileBytes, diskBytes: disk.diskBytes, contentBytes: disk.contentBytes,
                            kernelRelease: disk.image.kernelRelease, imageDigest: disk.image.digest.hex)))
            case .table:
                var table = TextTable("PART", "MB", "NOT EMPTY", "FILE")
                table.add(
                    "VHD, kernel \(disk.image.kernelRelease)", megabytes(disk.fileBytes), megabytes(disk.contentBytes),
                    disk.vhd.string)
                StandardStreams.print(table.rendered)
            }
        }

        private static func megabytes(_ bytes: Int) -> String { "\(bytes / 1_000_000).\(bytes / 100_000 % 10)" }
    }
}
