import Fixtures
import Glibc
import SalvorImage
import SystemPackage
import Testing

extension FirstLane.WholeRescue {
    /// The enrolment token was on the config disk and nowhere else; private keys are in the run's own authority alone.
    func checkSecrets(_ lab: Lab, _ machine: LabMachine, _ run: String, _ observer: Observer) throws {
        let token = SecretSearch(try #require(observer.token).bytes)
        // The original is known to be unchanged, and large.
        #expect(try token.files(in: lab.folder, except: [machine.disk]) == [])

        let authority = lab.state.appending("runs").appending(run).appending("ca").appending("authority.pem")
        let keys = SecretSearch(text: "PRIVATE KEY")
        #expect(try keys.files(in: lab.folder, except: [machine.disk]) == [authority])
        for (path, mode) in [(authority, 0o600), (authority.removingLastComponent(), 0o700), (lab.state, 0o700)] {
            #expect(try permissions(of: path) == UInt32(mode), "\(path)")
        }

        let qemu = observer.commandLines.filter { $0.first?.contains("qemu-system") == true }
        // The rescue VM, and the machine itself at its boot proof.
        #expect(qemu.count >= 2, "\(observer.commandLines)")
        for commandLine in observer.commandLines {
            #expect(!commandLine.contains { token.finds(in: $0) }, "the token was on a command line")
            guard let append = commandLine.firstIndex(of: "-append") else { continue }
            let kernel = commandLine[append + 1]
            for word in ["10.0.2.", run, "rescue-1"] {
                #expect(!kernel.contains(word), "bootstrap data on a kernel's command line: \(kernel)")
            }
        }
    }

    private func permissions(of path: FilePath) throws -> UInt32 {
        var status = stat()
        guard stat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
        return status.st_mode & 0o777
    }
}
