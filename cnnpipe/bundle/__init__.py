"""Exported files: conversion, runtimes, parity, and the folder that proves them.

From the network to the folder: `convert` (dry and real), `runtime` (what a written file says), `parity` (is it what
Keras says?), `export` (all of it, with the gates), `golden` and `write` (the bundle); from the bundle alone: `open`,
`check`.
"""
