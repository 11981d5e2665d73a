"""Repairs a machine with az, as `az vm repair` does it: the same calls in the same order, each by a process of its own.

The extension vm-repair is on no package index that can be pinned, so its steps (2.1 and 2.2, Windows, a managed disk that
is not encrypted) are replayed with the commands that it runs itself: create in eleven processes, run in two, restore in
four. The first of each step stands for the extension's own process, which looks at the machine. Prints JSON.
"""

import json
import os
import subprocess
import sys
import time

IMAGE = "MicrosoftWindowsServer:WindowsServer:2022-datacenter-g2:latest"
SIZE = "Standard_D2s_v3"


def main(az, endpoint, authority, tenant, subscription, client, secret_file, folder, group, name):
    environment = dict(
        os.environ, AZURE_CONFIG_DIR=f"{folder}/az", REQUESTS_CA_BUNDLE=authority, AZURE_CORE_COLLECT_TELEMETRY="0",
        AZURE_CORE_NO_COLOR="1", AZURE_CORE_INSTANCE_DISCOVERY="false", AZURE_CORE_LOGIN_EXPERIENCE_V2="off",
        AZURE_CORE_DISPLAY_REGION_IDENTIFIED="false", AZURE_CORE_ONLY_SHOW_ERRORS="1")
    processes = []

    def run(*arguments):
        begun = time.monotonic()
        result = subprocess.run(
            [az, *arguments, "--output", "json"], env=environment, capture_output=True, text=True)
        took = time.monotonic() - begun
        if result.returncode:
            raise SystemExit(f"az {' '.join(arguments)} ended with {result.returncode}: {result.stderr}")
        processes.append({"command": " ".join(arguments[:3]), "seconds": round(took, 1)})
        print(f"{took:6.1f} s  az {' '.join(arguments[:3])}", file=sys.stderr)
        return json.loads(result.stdout) if result.stdout.strip() else None

    with open(secret_file) as file:
        secret = file.read().strip()
    run("cloud", "register", "-n", "emulator", "--endpoint-resource-manager", endpoint)
    run("cloud", "set", "-n", "emulator")
    run("login", "--service-principal", "-u", client, "-p", secret, "--tenant", tenant)
    processes.clear()

    rescue, machine, copy = f"repair-{name}", f"repair-{name}", f"{name}-DiskCopy"
    location = "westeurope"
    begun = time.monotonic()
    # create
    source = run("vm", "show", "-g", group, "-n", name)
    run("vm", "list-skus", "-l", location, "--size", SIZE)
    run("vm", "image", "list", "-l", location, "-p", "MicrosoftWindowsServer", "-f", "WindowsServer", "--all")
    run("vm", "list-skus", "-l", location, "--size", SIZE)
    run("group", "exists", "-n", rescue)
    run("group", "create", "-n", rescue, "-l", location, "--tags", f"repair_source={group}/{name}")
    disk = run("disk", "show", "--ids", source["storageProfile"]["osDisk"]["managedDisk"]["id"])
    made = run(
        "disk", "create", "-g", group, "-n", copy, "-l", location, "--source", disk["id"], "--sku",
        disk["sku"]["name"], "--os-type", "Windows", "--hyper-v-generation", disk["hyperVGeneration"])
    creation = [
        "vm", "create", "-g", rescue, "-n", machine, "-l", location, "--image", IMAGE, "--size", SIZE,
        "--admin-username", "rescuer", "--admin-password", "For-The-Bench-0nly", "--public-ip-address", "",
        "--attach-data-disks", made["id"], "--tags", f"repair_source={group}/{name}"]
    run(*creation, "--validate")
    run(*creation)
    run("resource", "list", "-g", rescue)
    # run
    run("vm", "show", "-g", group, "-n", name)
    run(
        "vm", "run-command", "invoke", "-g", rescue, "-n", machine, "--command-id", "RunPowerShellScript", "--scripts",
        "Remove-Item F:\\Windows\\System32\\drivers\\CrowdStrike\\C-00000291*.sys")
    # restore
    run("vm", "show", "-g", group, "-n", name)
    run("vm", "disk", "detach", "-g", rescue, "--vm-name", machine, "-n", copy)
    run("vm", "update", "-g", group, "-n", name, "--os-disk", made["id"])
    seconds = time.monotonic() - begun
    run("group", "delete", "-n", rescue, "-y", "--no-wait")
    whole = time.monotonic() - begun
    now = run("vm", "show", "-g", group, "-n", name)["storageProfile"]["osDisk"]["managedDisk"]["id"]
    if now.lower() != made["id"].lower():
        raise SystemExit(f"the machine has the disk {now}")
    processes.pop()
    print(json.dumps({"untilSwapped": seconds, "whole": whole, "processes": processes}))


main(*sys.argv[1:])
