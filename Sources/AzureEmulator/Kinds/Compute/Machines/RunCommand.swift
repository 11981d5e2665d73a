internal import SalvorJSON

/// `runCommand`: a script that Azure's agent runs in the guest. A simulated machine has no guest: the script is not run, and
/// the answer says so.
enum RunCommand {
    static func begin(
        _ record: Record, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Operation {
        guard let command = call.body[member: "commandId"]?.string, !command.isEmpty else {
            throw .requiredParameter("commandId")
        }
        let known = [
            "runshellscript", "runpowershellscript", "ifconfig", "ipconfig", "removerunccommandlinuxextension",
        ]
        guard known.contains(command.lowercased()) else {
            throw ARMError(
                400, "InvalidParameter", "The value '\(printable(command))' of parameter commandId is not known.",
                target: "commandId")
        }
        if let running = state.running(on: call.id) {
            guard running.verb == "runcommand" else {
                try Disks.checkIdle(call.id, in: state)
                return running
            }
            throw ARMError(
                409, "Conflict",
                "Run command extension execution is in progress. Please wait for completion before invoking a run command."
            )
        }
        guard record.hidden["power"]?.string == "running" else {
            throw ARMError(
                409, "OperationNotAllowed",
                "The operation requires the VM to be running (or set to run).")
        }
        return call.begin("runcommand", input: ["command": .string(command)], in: &state)
    }

    static func output(of operation: Operation) -> JSONValue {
        let isWindows = operation.input["command"]?.string?.lowercased() != "runshellscript"
        func status(_ code: String, _ message: String) -> JSONValue {
            [
                "code": .string(code), "level": "Info", "displayStatus": "Provisioning succeeded",
                "message": .string(message),
            ]
        }
        let said = "The machine is simulated: the script was not run."
        if isWindows {
            return [
                "value": [
                    status("ComponentStatus/StdOut/succeeded", said), status("ComponentStatus/StdErr/succeeded", ""),
                ]
            ]
        }
        return [
            "value": [
                status("ProvisioningState/succeeded", "Enable succeeded: \n[stdout]\n\(said)\n\n[stderr]\n")
            ]
        ]
    }
}
