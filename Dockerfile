# The write-up with all that it needs. Records made here stay where the folder is mounted:
#   docker build -t cnn-mnist .                       (--build-arg TORCH=cuda for a GPU)
#   docker run --rm -v "$PWD/out:/app/report/out" cnn-mnist make report PROFILE=standard
FROM python:3.13-slim-trixie
ARG TORCH=cpu
ARG PIP_INDEX_URL=
ARG TORCH_INDEX=
WORKDIR /app
# What takes long comes first: it is built again only when the locks change.
COPY setup.sh requirements.lock ./
RUN apt-get update \
    && apt-get install -y --no-install-recommends git make \
    && ./setup.sh run "$TORCH" \
    && rm -rf /var/lib/apt/lists/* "$HOME/.cache"
COPY . .
CMD ["make", "all"]
