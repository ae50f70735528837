"""Exported files: conversion, runtimes, parity, and the folder that proves them."""
