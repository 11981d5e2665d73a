internal import ArgumentParser
internal import SalvorAudit
internal import SalvorAzure
internal import SalvorCoordinatorCore

struct DiscoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover",
        abstract: "Says which Windows machines of an Azure subscription look broken, and why.",
        discussion: """
            Azure cannot see a blue screen. A machine that runs while its agent does not answer may be broken, and looks \
            broken where an extension has installed CrowdStrike's sensor. Changes nothing.

            Examples:
              salvor discover -g web --screenshots screens
              salvor discover --location westeurope --tag env=production --output json
              salvor rescue --provider azure $(salvor discover --names)
            """)

    @OptionGroup(title: "Azure account") var account: AzureAccountOptions

    @Option(
        name: .customLong("tag"),
        help: ArgumentHelp("Only machines with this tag: NAME or NAME=VALUE. Each more must be there too."))
    var tags: [String] = []

    @Option(
        name: .customLong("location"),
        help: ArgumentHelp("Only machines in this region. Each more adds one.", valueName: "region"))
    var locations: [String] = []

    @Flag(help: "Only machines on which an extension of CrowdStrike's is seen.")
    var withFalcon = false

    @Flag(help: "List the machines that look well, do not run or are being changed as well.")
    var all = false

    @Flag(help: "Print nothing but names, GROUP/NAME, one a line: what salvor rescue takes.")
    var names = false

    @Option(
        help: ArgumentHelp("Save the last screen and the serial log of each listed machine here.", valueName: "folder"))
    var screenshots: String?

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        for tag in tags where tag.isEmpty || tag.first == "=" {
            throw ValidationError("--tag takes NAME or NAME=VALUE, not “\(tag)”.")
        }
        if names, all { throw ValidationError("--names lists machines to rescue: it does not go with --all.") }
        if names, shared.output == .json { throw ValidationError("--names and --output json exclude each other.") }
    }

    func run() async throws {
        try await ending { [self] in
            let session = try await AzureSession.open(account.settings)
            do {
                try await look(session)
                await session.close()
            } catch {
                await session.close()
                throw error
            }
            return .success
        }
    }

    private func look(_ session: AzureSession) async throws {
        let discovery = Discovery(
            session.arm, transport: session.transport, subscription: session.subscription, group: account.resourceGroup)
        let seen = try await discovery.look(
            DiscoveryFilter(tags: tags.map { DiscoveryFilter.Tag($0) }, locations: locations))
        let shown = seen.filter { one in
            (all || one.verdict == .looksBroken || one.verdict == .mayBeBroken) && (!withFalcon || one.hasFalcon)
        }
        var screens: [ResourceID: Discovery.Screen] = [:]
        if let screenshots {
            screens = await discovery.saveScreens(of: shown.map(\.machine), in: RunContext.absolute(screenshots))
        }
        let output = DiscoverOutput(shown, screens: screens, among: seen.count)
        if names {
            for machine in output.machines { StandardStreams.print(machine.name) }
        } else {
            try output.print(shared.output)
        }
    }
}
