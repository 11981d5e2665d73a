internal import SalvorAudit
package import SalvorDigest

/// The name of a repair copy, derived from run and machine, so that a repeat finds its own work.
package struct CopyName: Hashable, Sendable, Codable {
    package let run: String
    package let machine: String

    package init(run: String, machine: String) {
        self.run = run
        self.machine = machine
    }
}

/// The name of a rescue VM, derived from run and number.
package struct HostName: Hashable, Sendable, Codable, CustomStringConvertible {
    package let run: String
    /// Counts from 1 within the run.
    package let number: Int

    package init(run: String, number: Int) {
        self.run = run
        self.number = number
    }

    /// `rescue-1`: what the agent is called within its run, and what its certificate names.
    package var host: String { "rescue-\(number)" }

    package var description: String { "\(run)/\(host)" }
}

/// The copy of a broken machine's OS disk that is worked on.
package struct RepairCopy: Hashable, Sendable, Codable {
    package var name: CopyName
    package var disk: OSDisk
    /// True where the copy holds only what differs, so that the original must stay for as long as the copy is used.
    package var dependsOnOriginal: Bool

    package init(name: CopyName, disk: OSDisk, dependsOnOriginal: Bool) {
        self.name = name
        self.disk = disk
        self.dependsOnOriginal = dependsOnOriginal
    }
}

/// How a rescue VM and the coordinator come together.
package struct HostRoute: Hashable, Sendable, Codable {
    /// host:port, as the rescue VM dials it; empty where it is dialled.
    package var coordinator: String
    /// The rescue VM's port on which its agent waits for the coordinator; nil where the agent dials.
    package var listenPort: UInt16?
    /// ADDRESS/PREFIX to be set up on the rescue VM; nil where DHCP does.
    package var staticAddress: String?
    package var gateway: String?

    package init(coordinator: String, staticAddress: String? = nil, gateway: String? = nil) {
        self.coordinator = coordinator
        self.staticAddress = staticAddress
        self.gateway = gateway
    }

    /// The agent waits on that port; where the port is to be found, ``RescueHost/listenAddress`` says.
    package init(listeningOn port: UInt16, staticAddress: String? = nil, gateway: String? = nil) {
        self.init(coordinator: "", staticAddress: staticAddress, gateway: gateway)
        listenPort = port
    }
}

/// What a rescue VM is to be.
package struct HostSpecification: Sendable {
    package var name: HostName
    /// The coordinator's port on this machine, for providers that forward to it.
    package var coordinatorPort: Int
    package var route: HostRoute
    /// The serialised salvor.v1.Bootstrap. Holds a token: it may go into a file or a user-data field that only this
    /// host can read, never onto a command line or into a log.
    package var bootstrap: [UInt8]
    /// The machines whose copies it will serve: all of one placement.
    package var machines: [Machine]

    package init(
        name: HostName, coordinatorPort: Int, route: HostRoute, bootstrap: [UInt8], machines: [Machine]
    ) {
        self.name = name
        self.coordinatorPort = coordinatorPort
        self.route = route
        self.bootstrap = bootstrap
        self.machines = machines
    }
}

package struct RescueHost: Hashable, Sendable, Codable {
    package var name: HostName
    /// The provider's own identifier: a process and its control socket, a resource id.
    package var identifier: String
    /// Names the rescue image that it was started from; nil where the provider does not know.
    package var imageDigest: Digest?
    /// The acceleration, size or region, for the report.
    package var details: [String: String]
    /// The port on this machine that its agent was told to call; nil in records of older versions.
    package var coordinatorPort: Int?
    /// Where the coordinator dials its agent; nil where the agent dials.
    package var listenAddress: ListenAddress?

    package init(
        name: HostName, identifier: String, imageDigest: Digest? = nil, details: [String: String] = [:],
        listenAddress: ListenAddress? = nil
    ) {
        self.name = name
        self.identifier = identifier
        self.listenAddress = listenAddress
        self.imageDigest = imageDigest
        self.details = details
    }
}

/// Where an agent waits for its coordinator, as the coordinator sees it.
package struct ListenAddress: Hashable, Sendable, Codable, CustomStringConvertible {
    package var host: String
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How the agent knows an attached disk.
package enum DiskAddress: Hashable, Sendable, Codable {
    case serial(String)
    case lun(UInt32)
    case diskGUID(String)
}

/// A swap that was made, with what it takes to undo it.
package struct Swap: Hashable, Sendable, Codable {
    package var machine: String
    package var original: OSDisk
    package var repaired: OSDisk

    package init(machine: String, original: OSDisk, repaired: OSDisk) {
        self.machine = machine
        self.original = original
        self.repaired = repaired
    }
}

/// Whether the machine boots, and how that was seen.
package struct BootProof: Hashable, Sendable, Codable {
    package enum Verdict: String, Hashable, Sendable, Codable {
        case booted
        /// It failed in a way that was seen: a restart loop, a panic, an end of the process.
        case failed
        /// Neither was seen before the deadline.
        case notProven
    }

    package var verdict: Verdict
    /// What was seen: the line that matched, the restarts counted.
    package var evidence: String
    package var seconds: Double
    /// File with the console's output, where there is one.
    package var consoleLog: String?

    package init(verdict: Verdict, evidence: String, seconds: Double, consoleLog: String?) {
        self.verdict = verdict
        self.evidence = evidence
        self.seconds = seconds
        self.consoleLog = consoleLog
    }
}

/// Something that exists because of a run.
package struct ProviderResource: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case repairCopy
        case rescueHost
        case configDisk
        case bootedMachine
    }

    package var kind: Kind
    package var identifier: String

    package init(kind: Kind, identifier: String) {
        self.kind = kind
        self.identifier = identifier
    }
}
