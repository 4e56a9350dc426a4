"""Every tool, every way to answer, on both protocols; then the transcript of the README."""

import asyncio
import pathlib
import sys
import traceback

import approvals  # noqa: F401
import tools  # noqa: F401
import transcript
from fake import Fake
from session import FAKE, OPTIONS, TESTS


async def main():
    failures = 0
    # Only the tests that are named, to try something out.
    named = {option for option in OPTIONS if option != "--write"}
    tests = [test for test in TESTS if not named or test[0].__name__ in named]
    for function, mode in tests:
        name = f"{function.__name__} ({mode})"
        try:
            with Fake(FAKE) as fake:
                await asyncio.wait_for(function(fake, mode), 60)
            print(f"ok   {name}", flush=True)
        except Exception:
            failures += 1
            print(f"FAIL {name}", flush=True)
            traceback.print_exc()
    if not named:
        failures += not await transcript_is_true()
    print(f"{len(tests)} tests, {failures} failures")
    sys.exit(failures != 0)


async def transcript_is_true():
    readme = pathlib.Path(__file__).parents[1] / "README.md"
    with Fake(FAKE) as fake:
        text = await transcript.record(fake)
    if transcript.compare(readme, text, write="--write" in OPTIONS):
        return True
    print("FAIL the transcript in README.md is not what happens; tests/run.sh --write takes that over")
    return False


asyncio.run(main())
