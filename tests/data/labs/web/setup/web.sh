#!/bin/bash
mkdir -p {{ ("/srv/" ~ zone) | quote }}
